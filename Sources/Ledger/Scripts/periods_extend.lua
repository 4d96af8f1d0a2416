-- periods_extend: stores more calendar periods of a budget. Those it has are written once and must be repeated unchanged.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin; the version is the budget's
-- ARGV[8]  account id     ARGV[9]  budget name     ARGV[10]  "START:END:ID,...", without gap, up to where the budget's end or from there on
--
-- Result: { version, replayed }; when all of them were stored before, nothing is written: the present version, '1'.
-- Event: periods.extended. Drops periods that ended more than a day ago, but for the last one: it may have to be inherited
-- from although nobody used it.
-- Errors: NOORG, INVALID, NOTFOUND, PRECONDITION, CONFLICT (a stored period would change, a gap, arithmetic periods).

-- @include prologue
-- @include books
-- @include admin
-- @include budgets

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
local budget, wrong = find_budget()
if not budget then return wrong end
local more = ARGV[10] and parse_periods(ARGV[10])
if not more or #more == 0 then return refuse('INVALID', '/periods is malformed, out of order or has a gap') end
local refusal = check_version(tonumber(budget.version))
if refusal then return refusal end
if not is_calendar(budget.every) then return refuse('CONFLICT', 'a budget by ' .. budget.every .. ' has no stored periods') end
local stored = parse_periods(budget.periods)
local first, last = stored[1], stored[#stored]
local known, texts, added, before = {}, {}, {}, nil
for _, p in ipairs(stored) do
  known[p.text] = true
  if (p.finish + PERIODS_KEPT_S) * 1000 > books.now then
    if #texts == 0 and before then texts[1] = before end
    texts[#texts + 1] = p.text
  end
  before = p.text
end
for _, p in ipairs(more) do
  if p.start >= last.finish then
    if #added == 0 and p.start ~= last.finish then return refuse('CONFLICT', 'there is a gap before period ' .. p.id) end
    if p.id <= last.id then return refuse('CONFLICT', 'period ' .. p.id .. ' is stored, with another start') end
    added[#added + 1] = p.text
    texts[#texts + 1] = p.text
  elseif p.finish > first.start and not known[p.text] then
    return refuse('CONFLICT', 'period ' .. p.id .. ' is stored, with another start or end')
  end
end
if #added == 0 then return { budget.version, '1' } end
if #texts > PERIODS_KEPT then return refuse('CONFLICT', 'a budget has at most 400 stored periods') end

begin_writing(books)
local version = write_change(books, 'periods.extended', ARGV[8] .. '/' .. ARGV[9], last.text, table.concat(added, ','),
  { 'account', ARGV[8], 'budget', ARGV[9], 'generation', budget.generation })
call('HSET', budget_key(ARGV[8], ARGV[9]), 'periods', table.concat(texts, ','), 'version', int(version))
recompute(books, load_budget(ARGV[8], ARGV[9]))
return done(books, version)
