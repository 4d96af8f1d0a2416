-- block_put: the hard block of an account and all below it. Putting it again replaces its reason.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin; the version is the account's
-- ARGV[8]  account id     ARGV[9]  the block, JSON
--
-- Result: { version, replayed }. Event: block.put. Errors: NOORG, INVALID, NOTFOUND, PRECONDITION.

-- @include prologue
-- @include admin

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
if not is_text(ARGV[9], 1, 4096) then return refuse('INVALID', '/block has 1 to 4096 bytes') end
local account, wrong = find_account(ARGV[8])
if not account then return wrong end
local refusal = check_version(account.version)
if refusal then return refusal end

begin_writing(books)
local version = write_change(books, 'block.put', ARGV[8], account.block, ARGV[9], { 'account', ARGV[8] })
call('HSET', account_key(ARGV[8]), 'block', ARGV[9], 'version', int(version))
return done(books, version)
