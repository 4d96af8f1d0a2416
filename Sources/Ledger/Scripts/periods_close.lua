-- periods_close: closes the periods that are due, the oldest first: a final statement each, and the correction of what the
-- next period inherited. Later it trims their books, and the organisation's stream. Anyone may call it at any time.
--
-- KEYS[1], ARGV[1..3]  see _prologue      ARGV[4]  most books to close or trim (1...100)
--
-- A statement is written once. What is booked afterwards is its `late` part and changes no other period. While an inbox of
-- a dead session waits to be booked, and while the books recover, nothing is closed.
-- A book is trimmed when nobody can report to it any more: its statement then says all. A late report opens it anew.
-- Result: how many were closed or trimmed; as many as asked for: there may be more.
-- Events: period.closed (`after`: the statement), rollover.corrected (`before`, `after`: amounts). Errors: NOORG, INVALID.

-- @include prologue
-- @include books
-- @include sessions

local STATEMENTS_KEPT, EVENTS_KEPT, EVENTS_PER_CALL = 10000, 1000000, 10000

-- A row may go when its session was forgotten, or when nothing of it is outstanding so long after the period's end: its
-- owner has forgotten the lease by then.
local function is_settled(books, generation, start)
  local all = call('HGETALL', leases_key(generation, start))
  local sessions = {}
  for i = 1, #all, 2 do
    local g, u, r, b = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%d+)')
    if tonumber(g) > tonumber(u) + tonumber(r) + tonumber(b) and call('EXISTS', prefix .. 'session:' .. all[i]) == 1 then
      return false
    end
    sessions[#sessions + 1] = all[i]
  end
  return true, sessions
end

local function trim(books, book)
  local generation, start = book.generation, book.start
  local settled, sessions = is_settled(books, generation, start)
  if not settled then return close_later(generation, start, books.now + RETENTION_S * 1000) end
  local statement = load_statement(generation, start)
  if statement then
    statement.late = int(book.spent - tonumber(statement.spent))
    statement.late_ms = book.late_ms and int(book.late_ms) or ''
    statement.committed_now = int(book.committed)
    call('HSET', prefix .. 'statements:' .. generation, start, statement_text(statement))
  end
  for _, sid in ipairs(sessions) do
    for _, name in ipairs({ 'held:', 'closed:' }) do call('SREM', prefix .. name .. sid, generation .. ':' .. start) end
  end
  call('DEL', book.key, leases_key(generation, start), prefix .. 'asked:' .. generation .. ':' .. start)
  call('ZREM', prefix .. 'periods:' .. generation, start)
  call('ZREM', prefix .. 'closing', generation .. ':' .. start)
  local budget = load_budget(book.account, book.budget)
  if (not budget or budget.generation ~= generation) and call('EXISTS', prefix .. 'periods:' .. generation) == 0 then
    call('DEL', prefix .. 'adjustments:' .. generation)
  end
end

-- What the next period inherited while this one was provisional is made right: its allowance moves by the difference.
-- Returns what it has inherited for good, nil when it has not inherited yet.
local function correct_rollover(books, book, rest)
  local following = load_book(book.generation, int(book.finish))
  if not following or following.rollover == nil then return nil end
  local before, cap = following.rollover, tonumber(following.rollover_cap)
  local final = cap and not following.closed_ms and max(0, min(cap, rest)) or before
  following.rollover_cap = ''
  if final == before then return final end
  local refused = next(following.floors) ~= nil
  following.rollover = final
  give(following)
  announce_allowance(books, following, refused)
  append_event(books, 'rollover.corrected', { 'actor', 'ledger', 'account', book.account, 'budget', book.budget,
    'generation', book.generation, 'period', following.start, 'before', int(before), 'after', int(final) })
  return final
end

local function close(books, book)
  local generation, start = book.generation, book.start
  local v = call('HMGET', book.key, 'direct', 'amount', 'adjusted', 'kept')
  local rest = book.allowance - book.committed
  local inherited = correct_rollover(books, book, rest)
  if not inherited then
    local budget = load_budget(book.account, book.budget)
    local cap = budget and budget.generation == generation and tonumber(budget.rollover_max or '') or 0
    inherited = max(0, min(cap, rest))
  end
  local doubt = doubt_of(books, generation, start) + tonumber(v[4] or '0')
  local text = statement_text({ id = book.id, ['end'] = int(book.finish), unit = book.unit, mode = book.mode,
    amount = v[2], adjusted = v[3], rollover = int(book.rollover or 0), rolled_over = int(inherited),
    allowance = int(book.allowance), limit = int(book.limit), committed = int(book.committed), spent = int(book.spent),
    direct = v[1], leased = int(book.committed - book.spent - doubt), in_doubt = int(doubt),
    closed_ms = int(books.now), late = '0', late_ms = '', committed_now = int(book.committed) })
  local statements, closed = prefix .. 'statements:' .. generation, prefix .. 'closed_periods:' .. generation
  call('HSET', statements, start, text)
  call('ZADD', closed, start, start)
  for _, old in ipairs(call('ZRANGE', closed, '0', int(-STATEMENTS_KEPT - 1))) do
    call('HDEL', statements, old)
    call('ZREM', closed, old)
  end
  call('HSET', book.key, 'closed_ms', int(books.now))
  append_event(books, 'period.closed', { 'actor', 'ledger', 'account', book.account, 'budget', book.budget,
    'generation', generation, 'period', start, 'after', text })
end

local most = integer(ARGV[4], 1, 100)
if not most then return refuse('INVALID', '/limit is between 1 and 100') end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local now = int(books.now)
local due = call('ZRANGEBYSCORE', prefix .. 'closing', '-inf', now, 'LIMIT', '0', int(most))
if #due == 0 and call('XLEN', prefix .. 'events') <= EVENTS_KEPT * 1.1 then return 0 end

begin_writing(books)
if not recovering(books) then
  -- What others took for the dead belongs in the statement.
  sweep(books)
  store_all(books)
end
if recovering(books) or call('ZCOUNT', prefix .. 'inboxes', '-inf', now) > 0 then
  end_writing(books)
  return 0
end
for _, member in ipairs(due) do
  local generation, start = string.match(member, '^(%w+):(%d+)$')
  local book = load_book(generation, start)
  if not book then
    call('ZREM', prefix .. 'closing', member)
  elseif book.closed_ms or book.finish <= tonumber(start) then
    trim(books, book)
  else
    refresh_book(books, book)
    local finish = book.deleted_ms and book.deleted_ms / 1000 or book.finish
    if closes_at(books, finish) > books.now then
      close_later(generation, start, closes_at(books, finish))
    else
      close(books, book)
      close_later(generation, start, books.now + RETENTION_S * 1000)
    end
  end
end
call('XTRIM', prefix .. 'events', 'MAXLEN', '~', int(EVENTS_KEPT), 'LIMIT', int(EVENTS_PER_CALL))
end_writing(books)
return #due
