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

local RECALL_WAIT_MS, DEMAND_WINDOW_MS = 50, 2000
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

local function each_chunk(list, command, key)
  for first = 1, #list, 1000 do call(command, key, unpack(list, first, min(first + 999, #list))) end
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
  local inbox, open, expired_set = prefix .. 'inbox:' .. s.id, prefix .. 'open:' .. s.id, prefix .. 'expired:' .. s.id
  local all = call('HGETALL', inbox)
  for i = 1, #all, 2 do
    local number, e = all[i], read_entry(all[i + 1])
    local void = tonumber(number) < s.next and call('SISMEMBER', open, number) == 0
    local charged = not void and not e.expired and call('SISMEMBER', expired_set, number) == 1
    if void or charged then
      for _, item in ipairs(e.items) do
        local before = booked_part(e, item)
        local after = charged and max(0, item.charge - item.hold) or 0
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

-- What a parked hold still keeps: nothing once it was committed, nor once the owner counted it, also at its expiry.
local function parked_holds(sid)
  local keep = {}
  local all = call('HGETALL', prefix .. 'parked:' .. sid)
  for i = 1, #all, 2 do
    if call('SISMEMBER', prefix .. 'open:' .. sid, all[i]) == 1
      and call('SISMEMBER', prefix .. 'expired:' .. sid, all[i]) == 0
      and call('HEXISTS', prefix .. 'inbox:' .. sid, all[i]) == 0 then
      for _, item in ipairs(read_entry(all[i + 1]).items) do
        local name = item.generation .. ':' .. item.start
        keep[name] = (keep[name] or 0) + item.hold
      end
    end
  end
  return keep
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

-- The ceiling of a level. A ladder that became shorter may leave a node's level above it: a block still binds there.
local function ceiling(l, level)
  local c = l.ceilings[level + 1]
  if not c then
    local last = l.ceilings[#l.ceilings]
    if last and last.kind == 'block' then c = last end
  end
  return c and c.amount
end

-- One recall round: over when all holders answered, or after a while.
local function recall_running(books, book)
  if book.recall_ms > 0 and (book.recall_pending <= 0 or books.now - book.recall_ms >= RECALL_WAIT_MS) then
    -- Nothing is given to idle until those who waited have asked again, or rounds would follow each other for ever.
    book.recall_ms, book.slack_out, book.quiet_ms = 0, false, books.now + RECALL_WAIT_MS
  end
  return book.recall_ms > 0
end

-- Sessions that were asked in the round under way and have not answered.
local function asked_key(book) return prefix .. 'asked:' .. book.generation .. ':' .. book.start end

local function start_recall(books, book, asker)
  local pending = {}
  local all = call('HGETALL', leases_key(book.generation, book.start))
  for i = 1, #all, 2 do
    if all[i] ~= asker then
      local g, u, r, b = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%d+)')
      if tonumber(g) > tonumber(u) + tonumber(r) + tonumber(b)
        and max(tonumber(call('ZSCORE', prefix .. 'sessions', all[i]) or '0'), books.recovering_until) >= books.now then
        pending[#pending + 1] = all[i]
      end
    end
  end
  -- Never a number that was used before, not even in a history that Redis forgot.
  book.recall = max(book.recall + 1, books.now)
  book.recall_pending = #pending
  if #pending == 0 then
    book.slack_out = false
  else
    call('DEL', asked_key(book))
    each_chunk(pending, 'SADD', asked_key(book))
    call('EXPIRE', asked_key(book), 60)
    book.recall_ms = books.now
    call('PUBLISH', prefix .. 'news', 'recall ' .. book.generation .. ' ' .. book.start .. ' ' .. int(book.recall))
  end
end

-- The refused need is remembered, so that nodes can refuse the next one by themselves; the ladder's step is reached.
local function remember_refusal(books, l, level, short)
  local book = l.book
  book.floors[level] = min(book.floors[level] or MAXIMUM, short)
  if book.reached < level + 1 and l.ceilings[level + 1] then
    book.reached = level + 1
    append_event(books, 'budget.reached', { 'actor', 'ledger', 'account', book.account, 'budget', book.budget,
      'generation', book.generation, 'period', book.start, 'step', l.ceilings[level + 1].kind })
  end
end

-- A request per minute from the throttle at a level (generic cell rate, up to one second's worth at once).
-- Returns nil and the new state when there is one, else the ms to wait.
local function throttle(books, l, level)
  local c = l.ceilings[level]
  if not c or c.kind ~= 'throttle' or not c.rate then return nil, l.book.throttle_us end
  local interval = 60000000 / c.rate
  local now = books.now * 1000
  local at = max(l.book.throttle_us, now)
  local wait = at - now - max(0, 1000000 - interval)
  if wait > 0 then return math.ceil(wait / 1000) end
  return nil, floor(at + interval)
end

-- Whether a period grants nothing any more, or never did: it is over, its budget was deleted, or it is unknown (then it
-- ends where it starts).
local function is_closed(books, book)
  return books.now >= book.finish * 1000 or book.finish <= tonumber(book.start) or book.account == ''
    or book.deleted_ms ~= nil
end

local function answer_group(books, m, group)
  if recovering(books) then return 'recovering' end
  local refused, waiting, states = {}, false, {}
  for _, need in ipairs(group) do
    local l = m.leases[need.lease]
    if is_closed(books, l.book) then return 'closed' end
    need.short = max(0, need.amount - l.credit)
    local cap = ceiling(l, need.level)
    if need.short > 0 and cap and l.book.committed + need.short > cap then
      -- Recall helps only where idle slices count below this ceiling; a need above the ceiling is refused at once.
      if need.amount <= cap and (recall_running(books, l.book) or l.book.slack_out) then
        if not recall_running(books, l.book) then start_recall(books, l.book, m.sid) end
        if recall_running(books, l.book) then waiting = true end
      end
      if not recall_running(books, l.book) or need.amount > cap then
        refused[#refused + 1] = { l = l, need = need }
      end
    end
  end
  -- One lease that is short for good decides the request, whatever others might still bring back.
  if #refused > 0 then
    local names = {}
    for i, r in ipairs(refused) do
      remember_refusal(books, r.l, r.need.level, r.need.short)
      names[i] = tostring(r.need.lease)
    end
    return 'refused:' .. table.concat(names, ',')
  end
  if waiting then return 'wait' end
  for i, need in ipairs(group) do
    if need.token then
      local wait, state = throttle(books, m.leases[need.lease], need.level)
      if wait then return 'throttled:' .. int(wait) end
      states[i] = state
    end
  end
  for i, need in ipairs(group) do
    local l = m.leases[need.lease]
    if states[i] then l.book.throttle_us = states[i] end
    if need.short > 0 then
      change_row(l.book, l.row, function(row) row.granted = row.granted + need.short end)
      l.credit = l.credit + need.short
    end
    l.credit = l.credit - need.amount
  end
  return 'granted'
end

-- A session's part of the recent demand for a budget, in (0, 1].
local function demand_share(books, l)
  local book = l.book
  local window = floor(books.now / DEMAND_WINDOW_MS)
  if book.window ~= window then
    book.demand_before = book.window == window - 1 and book.demand_now or 0
    book.demand_now, book.window = 0, window
  end
  if l.row.window ~= window then
    book.demand_now = book.demand_now + l.demand
    l.row.window = window
  end
  return max(l.demand, 1) / max(book.demand_before, book.demand_now, l.demand, 1)
end

-- Whether nothing may lie idle. A refused need above the whole ceiling is no reason: idle slices could never pay it.
local function is_short(books, l)
  local book, cap = l.book, ceiling(l, 0)
  local floor = book.floors[0]
  return recall_running(books, book) or books.now < book.quiet_ms or (floor ~= nil and cap ~= nil and floor <= cap)
end

-- Beyond needs: at most what was wanted, and a share of what is free, so that slices shrink as money runs out.
local function grant_wants(books, m)
  for _, l in ipairs(m.leases) do
    local shortage = l.want - l.row.granted
    l.share = demand_share(books, l)
    if shortage > 0 and not recovering(books) and not is_closed(books, l.book) and not is_short(books, l) then
      local cap = ceiling(l, 0)
      local extra = cap and min(shortage, floor((cap - l.book.committed) * l.share / 2)) or shortage
      if extra > 0 then
        change_row(l.book, l.row, function(row) row.granted = row.granted + extra end)
      end
    end
  end
end

-- The most a node may keep idle: goes to 0 as the free money does.
local function slack_for(books, l)
  local cap = ceiling(l, 0)
  if not cap then return MAXIMUM end
  if is_short(books, l) or cap <= l.book.committed then return 0 end
  local slack = floor((cap - l.book.committed) * (l.share or 0))
  if slack > 0 then l.book.slack_out = true end
  return slack
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
