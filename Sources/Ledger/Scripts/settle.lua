-- settle: a commit or release for a reservation whose owner could not be reached, or whose session is over.
--
-- KEYS[1], ARGV[1..3]  see _prologue
-- ARGV[4]  session that made the reservation     ARGV[5]  reservation number
-- ARGV[6]  "G:START:CHARGE:HOLD G:START:CHARGE:HOLD ...", in book units
--
-- Result: { outcome, entry }. outcome: 'kept' (the session lives: its owner will count it), 'booked' (charged here),
-- 'counted' (the owner had counted it itself), 'repeat' (entry is the first answer), 'raised' (the ledger had settled
-- the abandoned hold itself; a late commit can only raise that charge).
-- Errors: NOORG, INVALID.

-- @include prologue
-- @include books
-- @include sessions

local sid, number = ARGV[4], ARGV[5]
if not sid or not string.find(sid, '^[%w._~-]+$') or #sid > 120 then return refuse('INVALID', '/session is not an id') end
if not integer(number, 0, MAXIMUM) or int(tonumber(number)) ~= number then
  return refuse('INVALID', '/number is not a reservation number')
end
local entry = ARGV[6] and parse_items(ARGV[6])
if not entry then return refuse('INVALID', '/charges is malformed') end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end

begin_writing(books)
local s = load_session(books, sid)
local first = call('HGET', prefix .. 'inbox:' .. sid, number)
local outcome = 'kept'
if first then
  local e = read_entry(first)
  outcome = 'repeat'
  if e.auto then
    local raised, places = false, {}
    for i, item in ipairs(e.items) do places[item.generation .. ':' .. item.start] = i end
    for _, new in ipairs(entry.items) do
      -- The owner parked its holds in an order of its own, and none where a hold was 0.
      local item = e.items[places[new.generation .. ':' .. new.start]]
      if not item then
        item = { generation = new.generation, start = new.start, charge = 0, hold = new.hold }
        e.items[#e.items + 1] = item
      end
      local more = new.charge - item.charge
      if more > 0 then
        raised = true
        local own = e.freed and 0 or max(0, item.hold - item.charge)
        item.charge = item.charge + more
        change_row(book_of(books, item.generation, item.start), row_of(item.generation, item.start, sid),
          function(row) book_part(row, more, own) end)
      end
    end
    e.auto = false
    if raised then outcome = 'raised' end
    store_entry(sid, number, e)
  end
  entry = e
elseif s.known and tonumber(number) < s.next and call('SISMEMBER', prefix .. 'open:' .. sid, number) == 0 then
  outcome = 'counted'
else
  entry.expired = call('SISMEMBER', prefix .. 'expired:' .. sid, number) == 1
  store_entry(sid, number, entry)
  if not s.known then
    -- Forgotten in a rollback, or it never came to an exchange: it gets the fresh time to live of a new history, else none.
    call('HSET', session_key(sid), 'n', '0', 'next', '0', 'over', '0', 'final', '0', 'advertise', '', 'node', '',
      'version', '0', 'seen_ms', '0', 'started_ms', int(books.now))
    call('ZADD', prefix .. 'sessions', int(s.expires), sid)
  end
  if not s.over and expired(books, s) then end_session(books, s) end
  if s.over then
    entry = read_entry(call('HGET', prefix .. 'inbox:' .. sid, number))
    book_entry(books, sid, entry)
    if s.final then
      free_entry(books, sid, entry)
      call('ZREM', prefix .. 'parked', sid .. '/' .. number)
    end
    store_entry(sid, number, entry)
    outcome = 'booked'
  else
    call('ZADD', prefix .. 'inboxes', int(s.expires + 1), sid)
  end
end
store_all(books)
end_writing(books)
return { outcome, items_text(entry.items) }
