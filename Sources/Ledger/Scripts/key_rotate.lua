-- key_rotate: a new key takes the place of a valid one, which is revoked.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin; the version is the old key's
-- ARGV[8]  id of the key to replace     ARGV[9]  id of the new key     ARGV[10]  record of the new key, JSON
-- ARGV[11]  record of the old key from now on, JSON, which says that it is revoked
--
-- Result: { version, replayed }. Event: key.rotated; its `key` is the old key, its `after` the new record.
-- Errors: NOORG, INVALID, NOTFOUND (key), PRECONDITION, CONFLICT (revoked before, id in use, archived account).

-- @include prologue
-- @include admin
-- @include keys

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
local id, new = ARGV[8], ARGV[9]
if not is_id(id) or not is_id(new) then return refuse('INVALID', '/id is not an id') end
if not is_text(ARGV[10], 1, RECORD_BYTES) then return refuse('INVALID', '/record has 1 to 65536 bytes') end
if not is_text(ARGV[11], 1, RECORD_BYTES) then return refuse('INVALID', '/old_record has 1 to 65536 bytes') end
local old = load_key(id)
if not old then return refuse('NOTFOUND', 'there is no key ' .. id) end
local refusal = check_version(old.version)
if refusal then return refusal end
if old.revoked > 0 then return refuse('CONFLICT', 'key ' .. id .. ' is revoked') end
if load_key(new) then return refuse('CONFLICT', 'key ' .. new .. ' exists') end
local account, wrong = find_account(old.account, true)
if not account then return wrong end
-- A full account of valid keys gives up the key that is revoked here.
local gone = place_for_key(old.account) or id

begin_writing(books)
local version = write_change(books, 'key.rotated', id, old.record, ARGV[10], { 'account', old.account, 'key', id })
store_key(id, ARGV[11], version, books.now, old.account)
forget_key(old.account, gone)
store_key(new, ARGV[10], version, 0, old.account)
return done(books, version)
