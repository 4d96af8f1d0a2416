-- organisation_get: an organisation's settings and the head of its books. Reads only.
--
-- KEYS[1]   see _prologue
--
-- Result: { id, name, timezone, durability, unpriced, created_ms, ttl_ms, own version, secrets version, version, history,
--           seq, time_ms, recovering_until_ms, clock_behind_ms, now, secrets }. Errors: NOORG.

-- @include prologue

local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local v = call('HMGET', meta, 'id', 'name', 'timezone', 'durability', 'unpriced', 'created_ms', 'ttl_ms', 'own_version',
  'secrets_version', 'version', 'history', 'seq', 'time_ms', 'recovering_until_ms', 'clock_behind_ms')
for i = 1, 15 do v[i] = v[i] or '' end
v[16] = int(books.now)
v[17] = call('HGET', meta, 'secrets') or ''
return v
