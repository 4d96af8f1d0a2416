-- key_put: stores a new API key of an account. An id is used once: a key is changed by rotating it.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin
-- ARGV[8]  account id     ARGV[9]  key id     ARGV[10]  record, JSON, with the SHA-256 of the secret
--
-- Result: { version, replayed }. Event: key.put. Where the account has 1000 keys, the one revoked first is forgotten.
-- Errors: NOORG, INVALID, NOTFOUND (account), PRECONDITION, CONFLICT (archived account, id in use, too many valid keys).

-- @include prologue
-- @include admin
-- @include keys

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
local account, wrong = find_account(ARGV[8], true)
if not account then return wrong end
if not is_id(ARGV[9]) then return refuse('INVALID', '/id is not an id') end
if not is_text(ARGV[10], 1, RECORD_BYTES) then return refuse('INVALID', '/record has 1 to 65536 bytes') end
local old = load_key(ARGV[9])
local refusal = check_version(old and old.version)
if refusal then return refusal end
if old then return refuse('CONFLICT', 'key ' .. ARGV[9] .. ' exists') end
local gone = place_for_key(ARGV[8])
if not gone then return refuse('CONFLICT', 'account ' .. ARGV[8] .. ' has 1000 valid keys') end

begin_writing(books)
local version = write_change(books, 'key.put', ARGV[9], '', ARGV[10], { 'account', ARGV[8], 'key', ARGV[9] })
forget_key(ARGV[8], gone)
store_key(ARGV[9], ARGV[10], version, 0, ARGV[8])
return done(books, version)
