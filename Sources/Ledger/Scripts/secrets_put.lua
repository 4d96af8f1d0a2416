-- secrets_put: stores the organisation's secrets anew (keys that seal ids, the credential between nodes).
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin      ARGV[8]  secrets, JSON
--
-- Result: { version, replayed }. Event: secrets.rotated, without the secrets. Errors: NOORG, INVALID, PRECONDITION.

-- @include prologue
-- @include admin

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
if not is_text(ARGV[8], 1, RECORD_BYTES) then return refuse('INVALID', '/secrets has 1 to 65536 bytes') end
local refusal = check_version(tonumber(call('HGET', meta, 'secrets_version')))
if refusal then return refusal end

begin_writing(books)
local version = write_change(books, 'secrets.rotated', root, '', '')
call('HSET', meta, 'secrets', ARGV[8], 'secrets_version', int(version))
return done(books, version)
