-- resolve: the rules of an account and everything above it, as a node needs them to decide. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  account id
--
-- Result: { version, history, now, { account ... } } from the account up to the root, or {} as list when it does not exist.
-- account: { id, archived, block, record, { budget ... } }
-- budget:  { name, generation, unit, mode, steps, every, periods, abandoned, outage, version, record }
-- Errors: NOORG.

-- @include prologue

local DEPTH = 16
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local path, id = {}, ARGV[4]
while id and id ~= '' and #path < DEPTH do
  local a = call('HMGET', prefix .. 'account:' .. id, 'archived', 'block', 'record', 'parent')
  if not a[3] then
    path = {}
    break
  end
  local names = call('SMEMBERS', prefix .. 'budgets:' .. id)
  table.sort(names)
  local budgets = {}
  for i, name in ipairs(names) do
    local b = call('HMGET', prefix .. 'budget:' .. id .. '/' .. name, 'generation', 'unit', 'mode', 'steps', 'every',
      'periods', 'abandoned', 'outage', 'version', 'record')
    for k = 1, 10 do b[k] = b[k] or '' end
    budgets[i] = { name, unpack(b) }
  end
  path[#path + 1] = { id, a[1] or '0', a[2] or '', a[3], budgets }
  id = a[4]
end
return { int(books.version), books.history, int(books.now), path }
