-- reservations_list: the reservation numbers that were open at a session's last report. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  session      ARGV[5]  cursor, '0' to begin      ARGV[6]  about how many (1...1000)
--
-- A walk of a set that changes: a number that is open all the while is answered at least once, others perhaps.
-- Result: { next cursor, '0' at the end, { number ... } }. Errors: NOORG, INVALID, NOTFOUND (session).

-- @include prologue

local cursor, most = ARGV[5], integer(ARGV[6], 1, 1000)
if not cursor or not string.find(cursor, '^%d+$') or #cursor > 20 then return refuse('INVALID', '/cursor is not a cursor') end
if not most then return refuse('INVALID', '/limit is between 1 and 1000') end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
if call('EXISTS', prefix .. 'session:' .. ARGV[4]) == 0 then
  return refuse('NOTFOUND', 'there is no session ' .. ARGV[4])
end
return call('SSCAN', prefix .. 'open:' .. ARGV[4], cursor, 'COUNT', int(most))
