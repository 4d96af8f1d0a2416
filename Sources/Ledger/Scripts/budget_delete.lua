-- budget_delete: removes a budget. Its generation stays as a tombstone with its books: late reports are kept.
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
return done(books, version)
