-- budget_put: makes a budget or changes it, and the current and later opened books with it.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin
-- ARGV[8]  account id     ARGV[9]  budget name
-- ARGV[10...]  field, value, ... of the budget's hash but `version`. A new budget needs record, generation, unit, amount
--              and every (and periods where it has calendar periods); an existing one keeps what is left out, and its generation.
--
-- Result: { version, replayed }. Event: budget.put. Publishes 'recall G START 0' where more is granted than fits now.
-- Errors: NOORG, INVALID, NOTFOUND (account), PRECONDITION, CONFLICT (archived account, too many budgets, generation in use,
-- a change of unit, every or an open period while the generation has opened books or adjustments).

-- @include prologue
-- @include books
-- @include admin
-- @include budgets

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
local account, name = ARGV[8], ARGV[9]
if not is_id(name) then return refuse('INVALID', '/budget is not an id') end
local _, unknown = find_account(account, true)
if unknown then return unknown end
local old = read_budget(account, name)
local new = { record = '', generation = '', unit = '', amount = '', mode = 'enforce', steps = '8000:warn,10000:block',
  next_amount = '', next_from = '', rollover_max = '', every = '', periods = '', abandoned = 'charge', outage = '' }
if old then
  for field in pairs(new) do new[field] = old[field] end
end
for i = 10, #ARGV, 2 do
  local field, value = ARGV[i], ARGV[i + 1]
  if new[field] == nil or not value then return refuse('INVALID', '/' .. field .. ' is not a field of a budget') end
  if not (old and field == 'generation') then new[field] = value end
end
local wrong = check_fields(new)
if wrong then return refuse('INVALID', wrong) end
local periods = parse_periods(new.periods)
if #periods > 0 and new.periods ~= (old and old.periods) and periods[#periods].finish * 1000 <= books.now then
  return refuse('INVALID', '/periods are all over')
end
local refusal = check_version(old and tonumber(old.version))
if refusal then return refusal end
-- Books and adjustments are amounts in the unit: read in another one, 250 dollars would be 250 million tokens.
if old and call('EXISTS', prefix .. 'periods:' .. new.generation, adjustments_key(new.generation)) > 0 then
  for _, field in ipairs({ 'unit', 'every' }) do
    if new[field] ~= old[field] then
      return refuse('CONFLICT', field .. ' cannot change from ' .. old[field] .. ' to ' .. new[field] ..
        ' once the budget has books or adjustments: delete it and make it again')
    end
  end
  local changed = changed_period(books, new, new.generation)
  if changed then return refuse('CONFLICT', 'period ' .. changed .. ' has books: it keeps its start and end') end
  local orphaned = new.periods ~= old.periods and orphaned_period(books, old, new)
  if orphaned then return refuse('CONFLICT', 'period ' .. orphaned .. ' has an adjustment: it keeps its start') end
end
if not old then
  if call('SCARD', prefix .. 'budgets:' .. account) >= BUDGETS_PER_ACCOUNT then
    return refuse('CONFLICT', 'account ' .. account .. ' has 8 budgets, the most it can have')
  end
  if call('HEXISTS', prefix .. 'generations', new.generation) == 1 then
    return refuse('CONFLICT', 'generation ' .. new.generation .. ' is in use')
  end
end

begin_writing(books)
local version = write_change(books, 'budget.put', account .. '/' .. name, old and old.record or '', new.record,
  { 'account', account, 'budget', name, 'generation', new.generation })
new.version = int(version)
local fields = {}
for _, field in ipairs(ALL_FIELDS) do
  fields[#fields + 1] = field
  fields[#fields + 1] = new[field]
end
call('HSET', budget_key(account, name), unpack(fields))
if not old then
  call('SADD', prefix .. 'budgets:' .. account, name)
  call('HSET', prefix .. 'generations', new.generation, account .. '/' .. name)
end
recompute(books, load_budget(account, name))
return done(books, version)
