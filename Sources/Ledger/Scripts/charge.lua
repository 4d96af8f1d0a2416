-- charge: books what was used without a reservation. It always books, also beyond the limit (rule 5).
--
-- KEYS[1], ARGV[1..3]  see _prologue
-- ARGV[4]  id of the charge: a repeat answers as the first time and books nothing
-- ARGV[5]  "G:START:CHARGE:0 ...", in book units
--
-- Result: 'booked' or 'repeat'. Errors: NOORG, INVALID.

-- @include prologue
-- @include books
-- @include sessions

local KEEP_MS, KEEP_COUNT = 86400000, 100000

if not ARGV[4] or not string.find(ARGV[4], '^[%w._-]+$') or #ARGV[4] > 120 then
  return refuse('INVALID', '/id is not an id')
end
local entry = ARGV[5] and parse_items(ARGV[5])
if not entry or #entry.items == 0 then return refuse('INVALID', '/charges is malformed') end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
if call('ZSCORE', prefix .. 'charges_at', ARGV[4]) then
  write_nothing_new(books)
  return 'repeat'
end

begin_writing(books)
for _, item in ipairs(entry.items) do
  local book = book_of(books, item.generation, item.start)
  book.committed = book.committed + item.charge
  book.spent = book.spent + item.charge
  call('HINCRBY', book.key, 'direct', int(item.charge))
end
call('ZADD', prefix .. 'charges_at', int(books.now), ARGV[4])
call('ZREMRANGEBYSCORE', prefix .. 'charges_at', '-inf', int(books.now - KEEP_MS))
call('ZREMRANGEBYRANK', prefix .. 'charges_at', '0', int(-KEEP_COUNT - 1))
store_all(books)
end_writing(books)
return 'booked'
