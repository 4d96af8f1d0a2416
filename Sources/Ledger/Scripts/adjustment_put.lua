-- adjustment_put: raises or lowers what a budget gives, for one period, until a time or for good. An id is used once.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin; expected version '' or '0'
-- ARGV[8]  account id     ARGV[9]  budget name     ARGV[10]  adjustment id     ARGV[11]  amount, signed, in book units
-- ARGV[12]  'period_end', 'never' or the time of its end in ms     ARGV[13]  start of the first period it holds in, seconds
-- ARGV[14]  JSON: reason, actor
--
-- Result: { version, replayed }. Event: adjustment.put, its `before` and `after` as the books store it.
-- Where the budget has 1000 adjustments, the one that ended first, more than a day ago, is forgotten; the audit keeps it.
-- Errors: NOORG, INVALID, NOTFOUND, PRECONDITION, CONFLICT (id in use, period over, too many, together out of range).

-- @include prologue
-- @include books
-- @include admin
-- @include budgets

local ADJUSTMENTS = 1000

-- When an adjustment ended, in ms; nil while it may still hold somewhere. A period that is no longer stored is over.
local function end_of(books, budget, text)
  local expires, start = string.match(text, '^%S+ (%S+) (%d+)')
  if expires == 'never' then return nil end
  local ended = tonumber(expires) or (period_of(budget, start) or tonumber(start)) * 1000
  if ended + PERIODS_KEPT_S * 1000 <= books.now then return ended end
end

-- The id of the adjustment that ended first, nil when none has.
local function ended_first(books, budget, all)
  local first, first_ms
  for i = 1, #all, 2 do
    local ended = end_of(books, budget, all[i + 1])
    if ended and (not first or ended < first_ms or ended == first_ms and all[i] < first) then
      first, first_ms = all[i], ended
    end
  end
  return first
end

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
local key = adjustments_key(budget.generation)
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
local gone
if #all / 2 >= ADJUSTMENTS then
  gone = ended_first(books, budget, all)
  if not gone then return refuse('CONFLICT', 'a budget has at most 1000 adjustments that still hold') end
end
if total > MAXIMUM then return refuse('CONFLICT', 'the adjustments of the budget together are out of range') end

begin_writing(books)
local text = table.concat({ int(amount), ends and int(ends) or expires, int(start), int(books.now), ARGV[14] }, ' ')
local version = write_change(books, 'adjustment.put', ARGV[8] .. '/' .. ARGV[9] .. '/' .. id, '', text,
  { 'account', ARGV[8], 'budget', ARGV[9], 'generation', budget.generation })
if gone then call('HDEL', key, gone) end
call('HSET', key, id, text)
recompute(books, load_budget(ARGV[8], ARGV[9]))
return done(books, version)
