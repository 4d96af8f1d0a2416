-- adjustments_list: all adjustments of a budget, expired ones too. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  account id      ARGV[5]  budget name
--
-- Result: { { id, amount, expires, period start, created_ms, record } ... }, oldest first; at most 1000 exist.
-- Errors: NOORG, NOTFOUND.

-- @include prologue

local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local generation = call('HGET', prefix .. 'budget:' .. ARGV[4] .. '/' .. ARGV[5], 'generation')
if not generation then return refuse('NOTFOUND', 'account ' .. ARGV[4] .. ' has no budget ' .. ARGV[5]) end
local rows = {}
local all = call('HGETALL', prefix .. 'adjustments:' .. generation)
for i = 1, #all, 2 do
  local amount, expires, period, created, record = string.match(all[i + 1], '^(-?%d+) (%S+) (%d+) (%d+) ?(.*)$')
  rows[#rows + 1] = { all[i], amount or '0', expires or '', period or '0', created or '0', record or '' }
end
table.sort(rows, function(a, b)
  if a[5] ~= b[5] then return tonumber(a[5]) < tonumber(b[5]) end
  return a[1] < b[1]
end)
return rows
