-- key_get: one API key. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  key id
--
-- Result: { id, account, version, revoked_ms (0 while valid), record }. Errors: NOORG, NOTFOUND.

-- @include prologue

local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local record, state = call('HGET', prefix .. 'keys', ARGV[4]), call('HGET', prefix .. 'key_state', ARGV[4])
if not record or not state then return refuse('NOTFOUND', 'there is no key ' .. ARGV[4]) end
local version, revoked, account = string.match(state, '^(%d+) (%d+) (.+)$')
return { ARGV[4], account, version, revoked, record }
