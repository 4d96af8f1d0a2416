-- prices_get: the present price book, or one of an earlier version. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  version, or '' for the present one
--
-- Result: { version, price book }. Errors: NOORG, INVALID, NOTFOUND (none yet, unknown, or too old to be kept).

-- @include prologue

local version = ARGV[4]
if version ~= '' and not integer(version, 1, MAXIMUM) then return refuse('INVALID', '/version is not a version') end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
if version == '' then
  version = call('HGET', prefix .. 'prices', 'version')
  if not version then return refuse('NOTFOUND', 'there is no price book') end
end
local text = call('HGET', prefix .. 'prices', version)
if not text then return refuse('NOTFOUND', 'there is no price book of version ' .. version) end
return { version, text }
