-- exchange: everything between a session and the books, in one numbered message.
--
-- KEYS[1], ARGV[1..3]  see _prologue
-- ARGV[4]   session id
-- ARGV[5]   message number; one that is not newer is answered, not applied
-- ARGV[6]   history the node knows, or ''      ARGV[7]  seq the node knows
-- ARGV[8]   version of the rules that the node has applied
-- ARGV[9]   '1' for goodbye
-- ARGV[10]  next: every reservation number below it is open or was counted by the owner
-- ARGV[11]  numbers opened since the last acknowledged message, joined by ','     ARGV[12]  the same for closed
-- ARGV[13]  the same for those whose hold was charged when they expired: they stay open for a late commit
-- ARGV[14]  node id      ARGV[15]  address at which other nodes reach it, or ''
-- ARGV[16]  count of parked holds, then for each: number, expiry (ms), "RULE|G:START:0:HOLD ..."
--           count of leases, then for each: generation, start, granted, used, returned, want, demand, answered recall
--           count of need groups, then for each: count, then for each need: lease (1-based), amount, level, token
--
-- used and returned are cumulative and the newest message's. want is a cumulative target of granted. A group is granted all
-- or none: `amount` is what it lacks beyond what the node held when it wrote the message; `level` says below which
-- ceiling of the ladder it must fit (0 the lowest); token 1 takes one request from the throttle's rate at that level - 1.
--
-- Result: { now, history, seq, version, ttl, recovering until, sessions, over, final,
--           { inbox number, entry, ... }, { lease answer ... }, { group answer ... } }
-- Lease answer: "granted|committed|spent|doubt|allowance|limit|ceilings|slack|recall|floors|end|reached|mode"
-- Group answer: "granted", "wait", "recovering", "closed", "refused:LEASE,LEASE" or "throttled:RETRY_MS"
-- Errors: NOORG, INVALID.

-- @include prologue
-- @include books
-- @include sessions
-- @include grants

local HELD_PER_CALL = 512

local function parse()
  local m = { sid = ARGV[4], n = integer(ARGV[5], 1, MAXIMUM), history = ARGV[6], seq = integer(ARGV[7], 0, MAXIMUM),
    version = integer(ARGV[8], 0, MAXIMUM), final = ARGV[9] == '1', next = integer(ARGV[10], 0, MAXIMUM),
    opened = ARGV[11], closed = ARGV[12], expired = ARGV[13], node = ARGV[14], advertise = ARGV[15], parked = {},
    leases = {}, groups = {} }
  if not m.sid or not string.find(m.sid, '^[%w._~-]+$') or #m.sid > 120 then return nil, '/session is not an id' end
  if not (m.n and m.seq and m.version and m.next) then return nil, '/header is not made of integers' end
  if string.find(m.history, '[^%w]') or #m.history > 64 then return nil, '/history is not an id' end
  if not m.advertise or #m.node > 256 or #m.advertise > 256 then return nil, '/node has at most 256 bytes' end
  if string.find(m.opened .. m.closed .. m.expired, '[^%d,]') then return nil, '/open is not a list of numbers' end
  local at = 16
  local function take() at = at + 1; return ARGV[at - 1] end
  local function count(most)
    return integer(take(), 0, most)
  end
  local parked = count(256)
  if not parked then return nil, '/parked has a wrong count' end
  for i = 1, parked do
    local p = { number = take(), expires = integer(take(), 0, MAXIMUM), text = take() }
    local rule, items = string.match(p.text or '', '^([cr])|(.*)$')
    if not p.expires or not string.find(p.number, '^%d+$') or #p.number > 16 or not rule or not parse_items(items) then
      return nil, '/parked/' .. (i - 1) .. ' is malformed'
    end
    m.parked[i] = p
  end
  local leases, seen = count(128), {}
  if not leases then return nil, '/leases has a wrong count' end
  for i = 1, leases do
    local l = { generation = take(), start = take(), granted = integer(take(), 0, MAXIMUM),
      used = integer(take(), 0, MAXIMUM), returned = integer(take(), 0, MAXIMUM), want = integer(take(), 0, MAXIMUM),
      demand = integer(take(), 0, MAXIMUM), answered = integer(take(), 0, MAXIMUM) }
    if not (l.granted and l.used and l.returned and l.want and l.demand and l.answered)
      or not is_period(l.generation, l.start) then
      return nil, '/leases/' .. (i - 1) .. ' is malformed'
    end
    local name = l.generation .. ':' .. l.start
    if seen[name] then return nil, '/leases/' .. (i - 1) .. ' is named twice' end
    seen[name] = true
    m.leases[i] = l
  end
  local groups = count(128)
  if not groups then return nil, '/groups has a wrong count' end
  for i = 1, groups do
    local needs = count(64)
    if not needs then return nil, '/groups/' .. (i - 1) .. ' has a wrong count' end
    local g, named = {}, {}
    for k = 1, needs do
      local need = { lease = integer(take(), 1, leases), amount = integer(take(), 0, MAXIMUM),
        level = integer(take(), 0, 8), token = take() == '1' }
      -- A lease twice in a group would be judged twice against the same free money.
      if not (need.lease and need.amount and need.level) or named[need.lease] then
        return nil, '/groups/' .. (i - 1) .. ' is malformed'
      end
      named[need.lease] = true
      g[k] = need
    end
    m.groups[i] = g
  end
  return m
end

local function each_number(text, command, key)
  local list = {}
  for number in string.gmatch(text, '%d+') do list[#list + 1] = number end
  each_chunk(list, command, key)
end

-- The report: what the session used and returned. Only a node that is ahead merges what it was granted. What it used counts
-- together with the numbers of its reservations, or what it used of one would be booked once more when it dies.
local function merge(books, m, s, ahead, adopted)
  for _, l in ipairs(m.leases) do
    l.book = book_of(books, l.generation, l.start)
    l.row = row_of(l.generation, l.start, m.sid)
    if not m.old then
      change_row(l.book, l.row, function(row)
        if l.granted > row.granted then
          -- A node on this history can know no more than the books do: counted as a broken invariant, kept on the safe side.
          if not ahead then call('HINCRBY', meta, 'anomalies', 1) end
          row.granted = l.granted
        end
        if adopted then row.used = s.final and max(row.used, l.used) or l.used end
        -- The owner knows better than whoever resolved the doubt about it.
        if adopted and s.over then row.booked = row.booked - use_resolved(row, MAXIMUM) end
        -- What remains of a session that is over goes back with its goodbye, when all that was booked for it is known.
        if not s.over then row.returned = max(row.returned, l.returned) end
      end)
    end
  end
end

-- The owner counts a reservation itself once it is no longer open; an entry that others left for it is then void. Of one
-- whose hold the owner charged when it expired, and tells so only now, what is above the hold counts.
local function settle_inbox(books, s)
  local inbox, open, charged_at_expiry = prefix .. 'inbox:' .. s.id, prefix .. 'open:' .. s.id, prefix .. 'expired:' .. s.id
  local all = call('HGETALL', inbox)
  for i = 1, #all, 2 do
    local number, e = all[i], read_entry(all[i + 1])
    local void = tonumber(number) < s.next and call('SISMEMBER', open, number) == 0
    local charged = not void and not e.expired and call('SISMEMBER', charged_at_expiry, number) == 1
    if void or charged then
      for _, item in ipairs(e.items) do
        local before = booked_part(item, e.expired)
        local after = charged and booked_part(item, true) or 0
        if e.booked then
          change_row(book_of(books, item.generation, item.start), row_of(item.generation, item.start, s.id),
            function(row) row.booked = max(0, row.booked - before + after) end)
        end
      end
    end
    if void then
      call('HDEL', inbox, number)
    elseif charged then
      e.expired = true
      store_entry(s.id, number, e)
    end
  end
end

-- Goodbye: the ledger returns all but the open holds, also grants that the node never saw.
local function say_goodbye(books, m, s)
  if not s.final then
    s.final = true
    end_session(books, s)
    local all = call('HGETALL', prefix .. 'inbox:' .. s.id)
    for i = 1, #all, 2 do
      local e = read_entry(all[i + 1])
      if not e.freed then
        e.freed = true -- its hold is not kept below, so the rest goes back with everything else
        store_entry(s.id, all[i], e)
      end
    end
  end
  local keep = parked_holds(s.id)
  local resolved = call('EXISTS', resolved_key(s.id)) == 1
  local function give_back(generation, start)
    local book, row = book_of(books, generation, start), row_of(generation, start, s.id)
    change_row(book, row, function(r)
      if resolved then r.booked = r.booked - use_resolved(r, MAXIMUM) end
      r.returned = r.returned + max(0, outstanding(r) - (keep[generation .. ':' .. start] or 0))
    end)
  end
  for _, l in ipairs(m.leases) do give_back(l.generation, l.start) end
  -- What this call undid of the ledger's own bookings, in leases that the message need not name.
  for _, row in ipairs(rows_order) do
    if row.session == s.id then give_back(row.generation, row.start) end
  end
  local held, closed = prefix .. 'held:' .. s.id, prefix .. 'closed:' .. s.id
  for _, name in ipairs(call('SRANDMEMBER', held, HELD_PER_CALL)) do
    give_back(string.match(name, '^(%w+):(%d+)$'))
    call('SMOVE', held, closed, name)
  end
  if call('SCARD', held) == 0 then
    s.ended = true
    call('ZREM', prefix .. 'sessions', s.id)
  end
end

local m, wrong = parse()
if not m then return refuse('INVALID', wrong) end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local ahead = begin_writing(books, m.history, m.seq)
-- Until the node has adopted this history the books may have forgotten numbers that it reported as open: what is not
-- open here was then not necessarily counted by the owner.
local adopted = m.history == '' or m.history == books.history
local s = load_session(books, m.sid)
m.old = m.n <= s.n
sweep(books)
s = load_session(books, m.sid)

if not m.old then
  s.n = m.n
  if not s.over and not s.final then
    s.expires = books.now + books.ttl
    call('ZADD', prefix .. 'sessions', int(s.expires), m.sid)
  end
end
if not m.old then
  -- First what others took and the owner counted itself is undone, or its reports would look like an overrun.
  local open = prefix .. 'open:' .. m.sid
  each_number(m.opened, 'SADD', open)
  each_number(m.expired, 'SADD', prefix .. 'expired:' .. m.sid)
  each_number(m.closed, 'SREM', open)
  each_number(m.closed, 'SREM', prefix .. 'expired:' .. m.sid)
  if adopted then
    s.next = max(s.next, m.next)
    settle_inbox(books, s)
  end
end
merge(books, m, s, ahead, adopted)
if not m.old then
  for _, p in ipairs(m.parked) do
    call('HSET', prefix .. 'parked:' .. m.sid, p.number, p.text)
    call('ZADD', prefix .. 'parked', int(p.expires), m.sid .. '/' .. p.number)
  end
  if adopted and m.final then say_goodbye(books, m, s) end
  call('HSET', session_key(m.sid), 'n', int(s.n), 'next', int(s.next), 'over', s.over and '1' or '0', 'final',
    s.final and '1' or '0', 'advertise', m.advertise, 'node', m.node, 'version', int(m.version), 'seen_ms',
    int(books.now))
  if not s.known then call('HSET', session_key(m.sid), 'started_ms', int(books.now)) end
end

local groups = {}
for _, l in ipairs(m.leases) do
  l.ceilings = ceilings_of(l.book)
  l.credit = max(0, l.row.granted - l.granted)
  if not m.old and l.answered == l.book.recall and l.row.answered ~= l.answered then
    l.row.answered = l.answered
    if l.book.recall_ms > 0 and call('SREM', asked_key(l.book), m.sid) == 1 then
      l.book.recall_pending = l.book.recall_pending - 1
      -- The last holder has answered: those who wait may ask again.
      if l.book.recall_pending <= 0 then hint_freed(books, l.book) end
    end
  end
  recall_running(books, l.book)
end
if not m.old and not s.over and not s.final then
  for i, group in ipairs(m.groups) do groups[i] = answer_group(books, m, group) end
  grant_wants(books, m)
end

local leases = {}
for i, l in ipairs(m.leases) do
  local slack = slack_for(books, l)
  local floors = {}
  announce_warns(books, l.book)
  clear_floors(books, l.book)
  for level = 0, 8 do
    if l.book.floors[level] then floors[#floors + 1] = level .. '=' .. int(l.book.floors[level]) end
  end
  leases[i] = table.concat({ int(l.row.granted), int(l.book.committed), int(l.book.spent), int(l.book.doubt),
    int(l.book.allowance), int(l.book.limit), l.book.ceilings_text, int(slack),
    l.book.recall_ms > 0 and int(l.book.recall) or '0', table.concat(floors, ','), int(l.book.finish),
    int(l.book.reached), l.book.mode }, '|')
end
store_all(books)
if s.ended then forget_session_later(s.id) end

local inbox = call('HGETALL', prefix .. 'inbox:' .. m.sid)
local entries = {}
for i = 1, min(#inbox, 200) do entries[i] = inbox[i] end
local sessions = call('ZCOUNT', prefix .. 'sessions', int(books.now), '+inf')
end_writing(books)
return { int(books.now), books.history, int(books.seq), int(books.version), int(books.ttl),
  int(books.recovering_until), int(sessions), s.over and '1' or '0', (s.final and s.ended) and '1' or '0',
  entries, leases, groups }
