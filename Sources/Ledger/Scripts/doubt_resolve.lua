-- doubt_resolve: decides what became of money in doubt: it counts as spent, or it goes back to the budget.
--
-- KEYS[1], ARGV[1..7]  see _prologue and _admin; expected version ''
-- ARGV[8]   generation     ARGV[9]  start of the period     ARGV[10]  session
-- ARGV[11]  'charge', 'release', or '' for what the budget says of abandoned reservations
-- ARGV[12]  amount, in book units; '' for all that is in doubt
--
-- The session is over for good from then on. What still comes is booked all the same: of a commit after a charge only what
-- is more than the charge (see _sessions, `resolved`), one after a release as an overrun.
-- Result: { version, replayed }. Event: doubt.resolved, `before` and `after` JSON, amounts in book units.
-- Errors: NOORG, INVALID, NOTFOUND, CONFLICT (the session lives, nothing or less is in doubt, it ends by itself).

-- @include prologue
-- @include books
-- @include sessions
-- @include admin
-- @include doubt

local books = open_books()
local answer = begin_admin(books)
if answer then return answer end
local generation, start, sid = ARGV[8], ARGV[9], ARGV[10]
if not is_period(generation, start) or not sid or not string.find(sid, '^[%w._~-]+$') or #sid > 120 then
  return refuse('INVALID', '/id is not an id')
end
local how = ARGV[11]
if not one_of(how, '', 'charge', 'release') then return refuse('INVALID', '/resolution is charge or release') end
local asked = integer(ARGV[12], 1, MAXIMUM)
if ARGV[12] ~= '' and not asked then return refuse('INVALID', '/amount is not an amount above 0') end
local v = call('HMGET', book_key(generation, start), 'account', 'budget', 'spent')
local row = load_row(generation, start, sid)
if not v[1] or row.new then return refuse('NOTFOUND', 'the session has nothing of this budget\'s period') end
local refusal = check_versionless(true)
if refusal then return refusal end
local s = load_session(books, sid)
if not is_dead(books, s) then return refuse('CONFLICT', 'the session lives: what it holds is not in doubt') end
local left = resolvable(row, sid, generation, start)
if left == 0 then
  if outstanding(row) > 0 then return refuse('CONFLICT', 'what is in doubt is settled by itself, by the budget\'s rule') end
  return refuse('CONFLICT', 'nothing of it is in doubt')
end
local amount = asked or left
if amount > left then return refuse('CONFLICT', 'less than that is in doubt') end
if how == '' then
  local rule = call('HMGET', prefix .. 'budget:' .. v[1] .. '/' .. v[2], 'generation', 'abandoned')
  how = rule[1] == generation and rule[2] == 'release' and 'release' or 'charge'
end

begin_writing(books)
local target = v[1] .. '/' .. v[2] .. '/' .. generation .. '.' .. start .. '.' .. sid
local version = write_change(books, 'doubt.resolved', target, '{"in_doubt":' .. int(left) .. '}',
  '{"in_doubt":' .. int(left - amount) .. ',"' .. how .. '":' .. int(amount) .. '}',
  { 'account', v[1], 'budget', v[2], 'generation', generation })
if not s.known then
  -- Forgotten: it is remembered once more, or a message of it would begin a new life.
  call('HSET', session_key(sid), 'n', '0', 'next', '0', 'over', '1', 'final', '0', 'advertise', '', 'node', '',
    'version', '0', 'seen_ms', '0', 'started_ms', int(books.now))
end
if not s.over then end_session(books, s) end
local book = book_of(books, generation, start)
change_row(book, row_of(generation, start, sid), function(r)
  if how == 'charge' then r.booked = r.booked + amount else r.returned = r.returned + amount end
end)
if how == 'charge' then call('HINCRBY', resolved_key(sid), generation .. ':' .. start, int(amount)) end
if not call('ZSCORE', prefix .. 'sessions', sid) then forget_session_later(sid) end
store_all(books)
return done(books, version)
