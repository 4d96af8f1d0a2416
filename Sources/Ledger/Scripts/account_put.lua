-- account_put: makes an account, changes it or moves it; one that was archived is in use again.
--
-- A moved account keeps its budgets, its keys and what was spent; only its ancestors are others.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin
-- ARGV[8]  account id     ARGV[9]  id of its parent, '' for the root     ARGV[10]  record, JSON
--
-- Result: { version, replayed }. Event: account.put.
-- Errors: NOORG, INVALID, NOTFOUND (parent), PRECONDITION, CONFLICT (archived parent, cycle, too deep, the root moved).

-- @include prologue
-- @include admin

local ACCOUNTS, MOVED = 100000, 10000

-- How many levels the tree has below an account, at most `most`; nil when it holds more accounts than are looked at.
local function height_below(id, most)
  local level, height, seen = { id }, 0, 1
  while height < most do
    local below = {}
    for _, account in ipairs(level) do
      for _, child in ipairs(call('SMEMBERS', prefix .. 'children:' .. account)) do
        seen = seen + 1
        if seen > MOVED then return nil end
        below[#below + 1] = child
      end
    end
    if #below == 0 then break end
    level, height = below, height + 1
  end
  return height
end

-- The number of accounts from `id` up to the root, or nil when `avoid` is among them.
local function depth_of(id, avoid)
  local depth = 0
  while id and id ~= '' and depth <= TREE_DEPTH do
    if id == avoid then return nil end
    depth = depth + 1
    id = call('HGET', account_key(id), 'parent')
  end
  return depth
end

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
local id, parent = ARGV[8], ARGV[9]
if not is_id(id) then return refuse('INVALID', '/id is not an id') end
if parent ~= '' and not is_id(parent) then return refuse('INVALID', '/parent is not an id') end
if not is_text(ARGV[10], 1, RECORD_BYTES) then return refuse('INVALID', '/record has 1 to 65536 bytes') end
local old = load_account(id)
local refusal = check_version(old and old.version)
if refusal then return refusal end
if id == root then
  if parent ~= '' then return refuse('CONFLICT', 'the root account cannot be moved') end
else
  if parent == '' then return refuse('INVALID', '/parent is missing') end
  local above = load_account(parent)
  if not above then return refuse('NOTFOUND', 'there is no account ' .. parent) end
  if above.archived then return refuse('CONFLICT', 'account ' .. parent .. ' is archived') end
  local depth = depth_of(parent, id)
  if not depth then return refuse('CONFLICT', 'account ' .. id .. ' would be its own ancestor') end
  local height = 0
  if old and old.parent ~= parent then
    height = height_below(id, TREE_DEPTH)
    if not height then return refuse('CONFLICT', 'more than 10000 accounts cannot be moved at once') end
  end
  if depth + 1 + height > TREE_DEPTH then return refuse('CONFLICT', 'the tree would be deeper than 8 accounts') end
end
if not old and call('ZCARD', prefix .. 'accounts') >= ACCOUNTS then
  return refuse('CONFLICT', 'an organisation has at most 100000 accounts')
end

begin_writing(books)
local version = write_change(books, 'account.put', id, old and old.record or '', ARGV[10], { 'account', id })
call('HSET', account_key(id), 'record', ARGV[10], 'parent', parent, 'version', int(version), 'archived', '0',
  'block', old and old.block or '')
call('ZADD', prefix .. 'accounts', '0', id)
if old and old.parent ~= parent then call('SREM', prefix .. 'children:' .. old.parent, id) end
if parent ~= '' then call('SADD', prefix .. 'children:' .. parent, id) end
return done(books, version)
