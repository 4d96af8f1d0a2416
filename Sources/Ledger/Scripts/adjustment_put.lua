-- adjustment_put: raises or lowers what a budget gives, for one period, until a time or for good. An id is used once.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin; expected version '' or '0'
-- ARGV[8]  account id     ARGV[9]  budget name     ARGV[10]  adjustment id     ARGV[11]  amount, signed, in book units
-- ARGV[12]  'period_end', 'never' or the time of its end in ms     ARGV[13]  start of the first period it holds in, seconds
-- ARGV[14]  JSON: reason, actor
--
-- Result: { version, replayed }. Event: adjustment.put, its `before` and `after` as the books store it.
-- Errors: NOORG, INVALID, NOTFOUND, PRECONDITION, CONFLICT (id in use, period over, too many, together out of range).

-- @include prologue
-- @include books
-- @include admin
-- @include budgets

local ADJUSTMENTS = 1000

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
local budget, wrong = find_budget()
if not budget then return wrong end
local id, amount, expires = ARGV[10], integer(ARGV[11], -MAXIMUM, MAXIMUM), ARGV[12]
if not is_id(id) then return refuse('INVALID', '/id is not an id') end
if not amount or amount == 0 then return refuse('INVALID', '/amount is not an amount other than 0') end
local ends = integer(expires, 0, MAXIMUM)
if not ends and not one_of(expires, 'period_end', 'never') then return refuse('INVALID', '/expires is not a time') end
local start = integer(ARGV[13], 0, LAST_SECOND)
local finish = start and period_of(budget, int(start))
if not finish then return refuse('INVALID', '/period is not the start of a period of this budget') end
if not is_text(ARGV[14], 1, 4096) then return refuse('INVALID', '/record has 1 to 4096 bytes') end
local key = prefix .. 'adjustments:' .. budget.generation
local exists = call('HEXISTS', key, id) == 1
local refusal = check_versionless(exists)
if refusal then return refusal end
if exists then return refuse('CONFLICT', 'adjustment ' .. id .. ' exists') end
if expires == 'period_end' and finish * 1000 <= books.now then return refuse('CONFLICT', 'the period is over') end
if ends and ends <= books.now then return refuse('CONFLICT', 'the end of the adjustment is over') end
-- The sum stays exact whichever of them hold: what they add up to without their signs is an amount too.
local all = call('HGETALL', key)
local total = math.abs(amount)
for i = 2, #all, 2 do total = total + math.abs(tonumber(string.match(all[i], '^(-?%d+)'))) end
if #all / 2 >= ADJUSTMENTS then return refuse('CONFLICT', 'a budget has at most 1000 adjustments') end
if total > MAXIMUM then return refuse('CONFLICT', 'the adjustments of the budget together are out of range') end

begin_writing(books)
local text = table.concat({ int(amount), ends and int(ends) or expires, int(start), int(books.now), ARGV[14] }, ' ')
local version = write_change(books, 'adjustment.put', ARGV[8] .. '/' .. ARGV[9] .. '/' .. id, '', text,
  { 'account', ARGV[8], 'budget', ARGV[9], 'generation', budget.generation })
call('HSET', key, id, text)
recompute(books, load_budget(ARGV[8], ARGV[9]))
return done(books, version)
