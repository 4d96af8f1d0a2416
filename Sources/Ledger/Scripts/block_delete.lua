-- block_delete: ends the block of an account; blocks of accounts above it stay.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin; the version is the account's      ARGV[8]  account id
--
-- Result: { version, replayed }. Event: block.deleted. Errors: NOORG, INVALID, NOTFOUND (account or block), PRECONDITION.

-- @include prologue
-- @include admin

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
local account, wrong = find_account(ARGV[8])
if not account then return wrong end
local refusal = check_version(account.version)
if refusal then return refusal end
if account.block == '' then return refuse('NOTFOUND', 'account ' .. ARGV[8] .. ' is not blocked') end

begin_writing(books)
local version = write_change(books, 'block.deleted', ARGV[8], account.block, '', { 'account', ARGV[8] })
call('HSET', account_key(ARGV[8]), 'block', '', 'version', int(version))
return done(books, version)
