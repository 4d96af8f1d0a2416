-- organisation_update: changes an organisation's settings.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin
-- ARGV[8]  name     ARGV[9]  time zone     ARGV[10]  durability     ARGV[11]  rule for unpriced models
--
-- Result: { version, replayed }. Event: organisation.updated. Errors: NOORG, INVALID, PRECONDITION.

-- @include prologue
-- @include admin
-- @include organisation

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
local wrong = check_settings(ARGV[8], ARGV[9], ARGV[10], ARGV[11])
if wrong then return refuse('INVALID', wrong) end
local old = call('HMGET', meta, 'name', 'timezone', 'durability', 'unpriced', 'own_version')
local refusal = check_version(tonumber(old[5]))
if refusal then return refusal end

begin_writing(books)
local version = write_change(books, 'organisation.updated', root, settings_text(old[1], old[2], old[3], old[4]),
  settings_text(ARGV[8], ARGV[9], ARGV[10], ARGV[11]))
call('HSET', meta, 'name', ARGV[8], 'timezone', ARGV[9], 'durability', ARGV[10], 'unpriced', ARGV[11],
  'own_version', int(version))
return done(books, version)
