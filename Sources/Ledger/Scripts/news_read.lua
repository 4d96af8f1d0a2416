-- news_read: the events after a version, as a node needs them to know what to look up anew. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  version the node has applied      ARGV[5]  most events (1...1000)
--
-- Result: { version, history, now, complete, { { version, kind, account, budget, generation, key, change,
--   actor, reason, after } ... } }. `after` only for blocks and revoked keys, which nodes tell again after a rollback.
-- complete is '0' when events between were trimmed or more than asked for: the node looks everything up anew.
-- Errors: NOORG, INVALID.

-- @include prologue

local RETOLD = { ['block.put'] = true, ['block.deleted'] = true, ['key.revoked'] = true }
local after, most = integer(ARGV[4], 0, MAXIMUM), integer(ARGV[5], 1, 1000)
if not after or not most then return refuse('INVALID', '/after is not a version') end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local oldest = call('XRANGE', prefix .. 'events', '-', '+', 'COUNT', '1')[1]
local entries = call('XRANGE', prefix .. 'events', '(' .. int(after) .. '-0', '+', 'COUNT', int(most))
local news, last = {}, after
for i, entry in ipairs(entries) do
  local fields = {}
  for k = 1, #entry[2], 2 do fields[entry[2][k]] = entry[2][k + 1] end
  last = tonumber(string.match(entry[1], '^(%d+)'))
  news[i] = { int(last), fields.kind or '', fields.account or '', fields.budget or '', fields.generation or '',
    fields.key or '', fields.change or '', fields.actor or '', fields.reason or '',
    RETOLD[fields.kind] and fields.after or '' }
end
-- A node that knows a version which the books have not reached saw a history that is over.
local trimmed = oldest and tonumber(string.match(oldest[1], '^(%d+)')) > after
local complete = after > 0 and after <= books.version and #entries < most and not trimmed
return { int(books.version), books.history, int(books.now), complete and '1' or '0', news }
