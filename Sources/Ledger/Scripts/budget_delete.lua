-- budget_delete: removes a budget. Its generation stays as a tombstone with its books: late reports are kept, nothing is
-- granted any more. Publishes 'recall G START 0' for its open books, which close as if they ended now.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin      ARGV[8]  account id     ARGV[9]  budget name
--
-- Result: { version, replayed }. Event: budget.deleted. Errors: NOORG, INVALID, NOTFOUND, PRECONDITION.

-- @include prologue
-- @include books
-- @include admin
-- @include budgets

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
local old, wrong = find_budget()
if not old then return wrong end
local refusal = check_version(tonumber(old.version))
if refusal then return refusal end

begin_writing(books)
local version = write_change(books, 'budget.deleted', ARGV[8] .. '/' .. ARGV[9], old.record, '',
  { 'account', ARGV[8], 'budget', ARGV[9], 'generation', old.generation })
call('DEL', budget_key(ARGV[8], ARGV[9]))
call('SREM', prefix .. 'budgets:' .. ARGV[8], ARGV[9])
for _, start in ipairs(call('ZREVRANGE', prefix .. 'periods:' .. old.generation, '0', int(BOOKS_PER_CHANGE - 1))) do
  local book = load_book(old.generation, start)
  if book and not book.closed_ms and book.finish * 1000 > books.now then
    call('HSET', book.key, 'deleted_ms', int(books.now))
    close_later(old.generation, start, books.now + CLOSING_MS + books.ttl)
    call('PUBLISH', prefix .. 'news', 'recall ' .. old.generation .. ' ' .. start .. ' 0')
  end
end
return done(books, version)
