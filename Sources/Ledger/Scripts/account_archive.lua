-- account_archive: takes an account out of use. Its record, budgets, keys and books stay.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin      ARGV[8]  account id
--
-- Result: { version, replayed }. Event: account.archived.
-- Errors: NOORG, INVALID, NOTFOUND, PRECONDITION, CONFLICT (the root, children in use, archived before).

-- @include prologue
-- @include admin

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
local id = ARGV[8]
local account, wrong = find_account(id)
if not account then return wrong end
local refusal = check_version(account.version)
if refusal then return refusal end
if id == root then return refuse('CONFLICT', 'the root account cannot be archived') end
if account.archived then return refuse('CONFLICT', 'account ' .. id .. ' is archived') end
local children = call('SCARD', prefix .. 'children:' .. id)
if children > 0 then return refuse('CONFLICT', 'account ' .. id .. ' has ' .. children .. ' accounts below it in use') end

begin_writing(books)
local version = write_change(books, 'account.archived', id, account.record, '', { 'account', id })
call('HSET', account_key(id), 'archived', '1', 'version', int(version))
call('SREM', prefix .. 'children:' .. account.parent, id)
return done(books, version)
