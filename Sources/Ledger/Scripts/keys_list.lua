-- keys_list: a page of an account's API keys, revoked ones too. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  account id      ARGV[5]  cursor: the id after which to go on, or ''
-- ARGV[6]   most keys (1...1000)
--
-- Result: { next cursor or '', { { id, account, version, revoked_ms, record } ... } }, by id.
-- Errors: NOORG, INVALID, NOTFOUND (account).

-- @include prologue

local most = integer(ARGV[6], 1, 1000)
if not most then return refuse('INVALID', '/limit is between 1 and 1000') end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local account = ARGV[4]
if call('EXISTS', prefix .. 'account:' .. account) == 0 then
  return refuse('NOTFOUND', 'there is no account ' .. account)
end
local ids = call('SMEMBERS', prefix .. 'keys_of:' .. account) -- key_put keeps it to 1000
table.sort(ids)
local rows = {}
for _, id in ipairs(ids) do
  if ARGV[5] == '' or id > ARGV[5] then
    if #rows == most then return { rows[most][1], rows } end
    local state = call('HGET', prefix .. 'key_state', id) or ''
    local version, revoked = string.match(state, '^(%d+) (%d+) ')
    rows[#rows + 1] = { id, account, version or '0', revoked or '0', call('HGET', prefix .. 'keys', id) or '' }
  end
end
return { '', rows }
