-- events_read: a page of the organisation's stream, for the audit and for those who follow it. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  'newest' (newest first) or 'after' (oldest first)
-- ARGV[5]   version: newest first it goes on below it ('' begins at the end), otherwise after it
-- ARGV[6]   most events (1...1000)      ARGV[7], [8], [9]  only those of this account, actor, kind; '' for all
--
-- Looks at 2000 entries at most: a page may hold fewer than asked for, or none, and still have a next one.
-- Result: { version of the books, next cursor, { { version, field, value, ... } ... } }. The next cursor is '' when there
-- is nothing older; after a version there is always one, from which to go on later.
-- Errors: NOORG, INVALID.

-- @include prologue

local LOOKED_AT, CHUNK = 2000, 200

local newest = ARGV[4] == 'newest'
if not newest and ARGV[4] ~= 'after' then return refuse('INVALID', '/order is newest or after') end
local cursor, most = ARGV[5], integer(ARGV[6], 1, 1000)
if not integer(cursor, 0, MAXIMUM) and not (newest and cursor == '') then
  return refuse('INVALID', '/cursor is not a version')
end
if not most then return refuse('INVALID', '/limit is between 1 and 1000') end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local wanted = { account = ARGV[7], actor = ARGV[8], kind = ARGV[9] }

local function chunk()
  local key = prefix .. 'events'
  if not newest then return call('XRANGE', key, '(' .. cursor .. '-0', '+', 'COUNT', int(CHUNK)) end
  return call('XREVRANGE', key, cursor == '' and '+' or '(' .. cursor .. '-0', '-', 'COUNT', int(CHUNK))
end

local function matches(fields)
  local missing = 0
  for _, text in pairs(wanted) do
    if text and text ~= '' then missing = missing + 1 end
  end
  for k = 1, #fields, 2 do
    local text = wanted[fields[k]]
    if text and text ~= '' then
      if fields[k + 1] ~= text then return false end
      missing = missing - 1
    end
  end
  return missing == 0
end

local found, seen = {}, 0
while true do
  local entries = chunk()
  for _, entry in ipairs(entries) do
    if #found == most or seen == LOOKED_AT then return { int(books.version), cursor, found } end
    seen, cursor = seen + 1, string.match(entry[1], '^(%d+)')
    if matches(entry[2]) then
      local row = { cursor }
      for k = 1, #entry[2] do row[k + 1] = entry[2][k] end
      found[#found + 1] = row
    end
  end
  if #entries < CHUNK then return { int(books.version), newest and '' or cursor, found } end
end
