-- account_get: one account. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  account id
--
-- Result: { id, parent, version, archived, block, record }. Errors: NOORG, NOTFOUND.

-- @include prologue

local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local v = call('HMGET', prefix .. 'account:' .. ARGV[4], 'parent', 'version', 'archived', 'block', 'record')
if not v[5] then return refuse('NOTFOUND', 'there is no account ' .. ARGV[4]) end
return { ARGV[4], v[1] or '', v[2], v[3] or '0', v[4] or '', v[5] }
