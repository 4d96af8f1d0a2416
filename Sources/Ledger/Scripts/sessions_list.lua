-- sessions_list: a page of the sessions, by the end of their time to live, the latest first. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  how many to leave out      ARGV[5]  most sessions (1...1000)
--
-- Sessions move between pages as they renew: what must be complete is asked for in one page. Goodbye ends the listing.
-- Result: { now, recovering until, count of all, { { session, node, advertise, expires, over, final, version acknowledged,
--           started_ms, seen_ms, count of leases, count of open reservations } ... } }. Errors: NOORG, INVALID.

-- @include prologue

local skip, most = integer(ARGV[4], 0, 1000000), integer(ARGV[5], 1, 1000)
if not skip then return refuse('INVALID', '/cursor is not a count') end
if not most then return refuse('INVALID', '/limit is between 1 and 1000') end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local all = call('ZREVRANGE', prefix .. 'sessions', int(skip), int(skip + most - 1), 'WITHSCORES')
local rows = {}
for i = 1, #all, 2 do
  local sid = all[i]
  local v = call('HMGET', prefix .. 'session:' .. sid, 'node', 'advertise', 'over', 'final', 'version', 'started_ms',
    'seen_ms')
  rows[#rows + 1] = { sid, v[1] or '', v[2] or '', int(tonumber(all[i + 1])), v[3] or '0', v[4] or '0', v[5] or '0',
    v[6] or '0', v[7] or '0', call('SCARD', prefix .. 'held:' .. sid), call('SCARD', prefix .. 'open:' .. sid) }
end
return { int(books.now), int(books.recovering_until), call('ZCARD', prefix .. 'sessions'), rows }
