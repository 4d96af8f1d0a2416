-- organisation_create: makes an organisation's books and its root account, whose id is the organisation's. Only creates.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin; ARGV[3] is the id of the first history
-- ARGV[8]  name     ARGV[9]  time zone     ARGV[10]  durability     ARGV[11]  rule for unpriced models
-- ARGV[12]  time to live of sessions, ms     ARGV[13]  secrets, JSON     ARGV[14]  record of the root account, JSON
--
-- Result: { version, replayed }. Event: organisation.created.
-- Errors: INVALID, CONFLICT (it exists, or books without a head do), PRECONDITION.

-- @include prologue
-- @include admin
-- @include organisation

local books = open_books()
local existed = books ~= nil
if not existed then
  local t = call('TIME')
  local now = tonumber(ARGV[1]) or tonumber(t[1]) * 1000 + floor(tonumber(t[2]) / 1000)
  local run = ARGV[2] ~= '' and ARGV[2] or string.match(call('INFO', 'server'), 'run_id:(%x+)')
  books = { history = ARGV[3], seq = 0, version = 0, now = now, behind = 0, recovering_until = 0, run = run,
    forgot = false, events = 0, touched = {} }
end
local answer = begin_admin(books)
if answer then return answer end
if not is_id(root) then return refuse('INVALID', '/id is not an id') end
local wrong = check_settings(ARGV[8], ARGV[9], ARGV[10], ARGV[11])
if wrong then return refuse('INVALID', wrong) end
if not is_text(ARGV[3], 1, 64) then return refuse('INVALID', '/history is not an id') end
if not integer(ARGV[12], 100, 3600000) then return refuse('INVALID', '/ttl_ms is not between 100 and 3600000') end
if not is_text(ARGV[13], 1, RECORD_BYTES) then return refuse('INVALID', '/secrets has 1 to 65536 bytes') end
if not is_text(ARGV[14], 1, RECORD_BYTES) then return refuse('INVALID', '/record has 1 to 65536 bytes') end
if existed then
  return check_version(tonumber(call('HGET', meta, 'own_version')))
    or refuse('CONFLICT', 'organisation ' .. root .. ' exists')
end
local early = check_version(nil)
if early then return early end
if call('EXISTS', prefix .. 'accounts', prefix .. 'events', prefix .. 'generations') > 0 then
  return refuse('CONFLICT', 'organisation ' .. root .. ' has books without a head: restore them or remove them first')
end

begin_writing(books)
local version = write_change(books, 'organisation.created', root, '', settings_text(ARGV[8], ARGV[9], ARGV[10], ARGV[11]),
  { 'account', root })
call('HSET', meta, 'id', root, 'name', ARGV[8], 'timezone', ARGV[9], 'durability', ARGV[10], 'unpriced', ARGV[11],
  'created_ms', int(books.now), 'ttl_ms', ARGV[12], 'secrets', ARGV[13], 'own_version', int(version),
  'secrets_version', int(version))
call('HSET', account_key(root), 'record', ARGV[14], 'parent', '', 'version', int(version), 'archived', '0', 'block', '')
call('ZADD', prefix .. 'accounts', '0', root)
return done(books, version)
