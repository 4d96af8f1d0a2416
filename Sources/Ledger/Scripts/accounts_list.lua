-- accounts_list: a page of the accounts, by id. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  cursor: the id after which to go on, or ''      ARGV[5]  most accounts (1...1000)
-- ARGV[6]   only those with this parent, or '' for all
--
-- Looks at 2000 accounts at most: a page may hold fewer than asked for, or none, and still have a next one.
-- Result: { next cursor or '', { { id, parent, version, archived, block, record } ... } }. Errors: NOORG, INVALID.

-- @include prologue

local LOOKED_AT, CHUNK = 2000, 200

local cursor, most, parent = ARGV[4], integer(ARGV[5], 1, 1000), ARGV[6]
if not cursor or not parent then return refuse('INVALID', '/cursor is missing') end
if not most then return refuse('INVALID', '/limit is between 1 and 1000') end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local rows, seen = {}, 0
while true do
  local from = cursor == '' and '-' or '(' .. cursor
  local ids = call('ZRANGEBYLEX', prefix .. 'accounts', from, '+', 'LIMIT', '0', int(CHUNK))
  for _, id in ipairs(ids) do
    if #rows == most or seen == LOOKED_AT then return { cursor, rows } end
    seen, cursor = seen + 1, id
    local key = prefix .. 'account:' .. id
    if parent == '' or call('HGET', key, 'parent') == parent then
      local v = call('HMGET', key, 'parent', 'version', 'archived', 'block', 'record')
      rows[#rows + 1] = { id, v[1] or '', v[2] or '0', v[3] or '0', v[4] or '', v[5] or '' }
    end
  end
  if #ids < CHUNK then return { '', rows } end
end
