-- adjustment_delete: takes an adjustment back, in the current and later periods. Ended periods keep what they had.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin; expected version ''
-- ARGV[8]  account id     ARGV[9]  budget name     ARGV[10]  adjustment id
--
-- Result: { version, replayed }. Event: adjustment.deleted. Errors: NOORG, INVALID, NOTFOUND, PRECONDITION.

-- @include prologue
-- @include books
-- @include admin
-- @include budgets

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
local budget, wrong = find_budget()
if not budget then return wrong end
if not is_id(ARGV[10]) then return refuse('INVALID', '/id is not an id') end
local key = adjustments_key(budget.generation)
local text = call('HGET', key, ARGV[10])
local refusal = check_versionless(text)
if refusal then return refusal end
if not text then return refuse('NOTFOUND', 'there is no adjustment ' .. ARGV[10]) end

begin_writing(books)
local version = write_change(books, 'adjustment.deleted', ARGV[8] .. '/' .. ARGV[9] .. '/' .. ARGV[10], text, '',
  { 'account', ARGV[8], 'budget', ARGV[9], 'generation', budget.generation })
call('HDEL', key, ARGV[10])
recompute(books, load_budget(ARGV[8], ARGV[9]))
return done(books, version)
