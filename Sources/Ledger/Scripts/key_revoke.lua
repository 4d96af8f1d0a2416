-- key_revoke: ends a key for good. Its record stays, so that its past can be read.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin
-- ARGV[8]  key id     ARGV[9]  its record from now on, JSON, which says that it is revoked
--
-- Result: { version, replayed }. Event: key.revoked.
-- Errors: NOORG, INVALID, NOTFOUND, PRECONDITION, CONFLICT (revoked before).

-- @include prologue
-- @include admin
-- @include keys

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
if not is_id(ARGV[8]) then return refuse('INVALID', '/id is not an id') end
if not is_text(ARGV[9], 1, RECORD_BYTES) then return refuse('INVALID', '/record has 1 to 65536 bytes') end
local old = load_key(ARGV[8])
if not old then return refuse('NOTFOUND', 'there is no key ' .. ARGV[8]) end
local refusal = check_version(old.version)
if refusal then return refusal end
if old.revoked > 0 then return refuse('CONFLICT', 'key ' .. ARGV[8] .. ' is revoked') end

begin_writing(books)
local version = write_change(books, 'key.revoked', ARGV[8], old.record, ARGV[9],
  { 'account', old.account, 'key', ARGV[8] })
store_key(ARGV[8], ARGV[9], version, books.now, old.account)
return done(books, version)
