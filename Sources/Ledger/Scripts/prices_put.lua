-- prices_put: a new version of the price book. The versions before it stay, the 1000 newest of them.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin; the version is the present price book's
-- ARGV[8]  price book, JSON
--
-- Result: { version, replayed }; the version is also the price book's name. Event: prices.put; its `before` and `after`
-- are versions, not texts: a price book may have a mebibyte, and can be read by its version.
-- Errors: NOORG, INVALID, PRECONDITION.

-- @include prologue
-- @include admin

local PRICES_BYTES, VERSIONS_KEPT = 1048576, 1000

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
if not is_text(ARGV[8], 1, PRICES_BYTES) then return refuse('INVALID', '/prices has 1 to 1048576 bytes') end
local prices = prefix .. 'prices'
local present = call('HGET', prices, 'version')
local refusal = check_version(tonumber(present))
if refusal then return refusal end

begin_writing(books)
-- Known before it is written: nothing else appends an event between.
local after = int(books.version + 1)
local version = write_change(books, 'prices.put', 'prices', present or '', after)
call('HSET', prices, 'version', after, after, ARGV[8])
if call('HLEN', prices) > VERSIONS_KEPT + 1 then
  local oldest
  for _, field in ipairs(call('HKEYS', prices)) do
    local n = tonumber(field)
    if n and (not oldest or n < oldest) then oldest = n end
  end
  call('HDEL', prices, int(oldest))
end
return done(books, version)
