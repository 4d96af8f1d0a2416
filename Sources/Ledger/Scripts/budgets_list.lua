-- budgets_list: all budgets of an account, or one of them. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  account id      ARGV[5]  budget name, or '' for all
--
-- Result: { { name, record, version, generation, unit, amount, mode, steps, next_amount, next_from, rollover_max, every,
--           periods, abandoned, outage } ... }, by name. Errors: NOORG, NOTFOUND (account, or the named budget).

-- @include prologue

local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local account, name = ARGV[4], ARGV[5]
if call('EXISTS', prefix .. 'account:' .. account) == 0 then
  return refuse('NOTFOUND', 'there is no account ' .. account)
end
local names = { name }
if name == '' then
  names = call('SMEMBERS', prefix .. 'budgets:' .. account)
  table.sort(names)
end
local rows = {}
for _, each in ipairs(names) do
  local v = call('HMGET', prefix .. 'budget:' .. account .. '/' .. each, 'record', 'version', 'generation', 'unit', 'amount',
    'mode', 'steps', 'next_amount', 'next_from', 'rollover_max', 'every', 'periods', 'abandoned', 'outage')
  if v[3] then
    for i = 1, 14 do v[i] = v[i] or '' end
    rows[#rows + 1] = { each, unpack(v) }
  elseif name ~= '' then
    return refuse('NOTFOUND', 'account ' .. account .. ' has no budget ' .. name)
  end
end
return rows
