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

local RECALL_WAIT_MS, FREED_GAP_MS, DEMAND_WINDOW_MS = 50, 50, 2000
local HELD_PER_CALL = 512

local function parse()
  local m = { sid = ARGV[4], n = integer(ARGV[5], 1, MAXIMUM), history = ARGV[6], seq = integer(ARGV[7], 0, MAXIMUM),
    version = integer(ARGV[8], 0, MAXIMUM), final = ARGV[9] == '1', next = integer(ARGV[10], 0, MAXIMUM),
    opened = ARGV[11], closed = ARGV[12], expired = ARGV[13], node = ARGV[14], advertise = ARGV[15], parked = {}, leases = {}, groups = {} }
  if not m.sid or not string.find(m.sid, '^[%w._~-]+$') or #m.sid > 120 then return nil, '/session is not an id' end
  if not (m.n and m.seq and m.version and m.next) then return nil, '/header is not made of integers' end
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
    if not p.expires or not string.find(p.number, '^%d+$') or not string.find(p.text, '^[cr]|[%w: ]*$') then
      return nil, '/parked/' .. (i - 1) .. ' is malformed'
    end
    m.parked[i] = p
  end
  local leases = count(128)
  if not leases then return nil, '/leases has a wrong count' end
  for i = 1, leases do
    local l = { generation = take(), start = take(), granted = integer(take(), 0, MAXIMUM),
      used = integer(take(), 0, MAXIMUM), returned = integer(take(), 0, MAXIMUM), want = integer(take(), 0, MAXIMUM),
      demand = integer(take(), 0, MAXIMUM), answered = integer(take(), 0, MAXIMUM) }
    if not (l.granted and l.used and l.returned and l.want and l.demand and l.answered and l.generation and l.start)
      or not string.find(l.generation, '^%w+$') or not string.find(l.start, '^%d+$') or #l.start > 12 then
      return nil, '/leases/' .. (i - 1) .. ' is malformed'
    end
    m.leases[i] = l
  end
  local groups = count(128)
  if not groups then return nil, '/groups has a wrong count' end
  for i = 1, groups do
    local needs = count(64)
    if not needs then return nil, '/groups/' .. (i - 1) .. ' has a wrong count' end
    local g = {}
    for k = 1, needs do
      local need = { lease = integer(take(), 1, leases), amount = integer(take(), 0, MAXIMUM),
        level = integer(take(), 0, 8), token = take() == '1' }
      if not (need.lease and need.amount and need.level) then return nil, '/groups/' .. (i - 1) .. ' is malformed' end
      g[k] = need
    end
    m.groups[i] = g
  end
  return m
end

local function each_number(list, command, key)
  local chunk = {}
  for number in string.gmatch(list, '%d+') do
    chunk[#chunk + 1] = number
    if #chunk == 1000 then call(command, key, unpack(chunk)); chunk = {} end
  end
  if #chunk > 0 then call(command, key, unpack(chunk)) end
end

-- The report: what the session used and returned. Only a node that is ahead merges what it was granted.
local function merge(books, m, s, ahead)
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
        row.used = s.final and max(row.used, l.used) or l.used
        row.returned = max(row.returned, l.returned)
      end)
    end
  end
end

-- The owner counts a reservation itself once it is no longer open; an entry that others left for it is then void.
local function prune_inbox(books, s)
  local inbox = prefix .. 'inbox:' .. s.id
  local all = call('HGETALL', inbox)
  for i = 1, #all, 2 do
    if tonumber(all[i]) < s.next and call('SISMEMBER', prefix .. 'open:' .. s.id, all[i]) == 0 then
      local e = read_entry(all[i + 1])
      if e.booked then
        for _, item in ipairs(e.items) do
          change_row(book_of(books, item.generation, item.start), row_of(item.generation, item.start, s.id),
            function(row) row.booked = max(0, row.booked - booked_part(e, item)) end)
        end
      end
      call('HDEL', inbox, all[i])
    end
  end
end

-- What a parked hold still keeps: nothing once it was committed, nor once the owner counted it.
local function parked_holds(sid)
  local keep = {}
  local all = call('HGETALL', prefix .. 'parked:' .. sid)
  for i = 1, #all, 2 do
    if call('SISMEMBER', prefix .. 'open:' .. sid, all[i]) == 1
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
  local function give_back(generation, start)
    local book, row = book_of(books, generation, start), row_of(generation, start, s.id)
    change_row(book, row, function(r)
      r.returned = r.returned + max(0, outstanding(r) - (keep[generation .. ':' .. start] or 0))
    end)
  end
  for _, l in ipairs(m.leases) do give_back(l.generation, l.start) end
  local held, closed = prefix .. 'held:' .. s.id, prefix .. 'closed:' .. s.id
  for _, name in ipairs(call('SRANDMEMBER', held, HELD_PER_CALL)) do
    give_back(string.match(name, '^(%w+):(%d+)$'))
    call('SMOVE', held, closed, name)
  end
  if call('SCARD', held) == 0 then
    s.ended = true
    call('ZREM', prefix .. 'sessions', s.id)
    forget_session_later(s.id)
  end
end

local function ceiling(l, level)
  local c = l.ceilings[level + 1]
  return c and c.amount
end

-- One recall round: over when all holders answered, or after a while.
local function recall_running(books, book)
  if book.recall_ms > 0 and (book.recall_pending <= 0 or books.now - book.recall_ms >= RECALL_WAIT_MS) then
    book.recall_ms, book.slack_out = 0, false
  end
  return book.recall_ms > 0
end

local function start_recall(books, book, asker)
  local pending = 0
  local all = call('HGETALL', leases_key(book.generation, book.start))
  for i = 1, #all, 2 do
    if all[i] ~= asker then
      local g, u, r, b = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%d+)')
      if tonumber(g) > tonumber(u) + tonumber(r) + tonumber(b)
        and max(tonumber(call('ZSCORE', prefix .. 'sessions', all[i]) or '0'), books.recovering_until) >= books.now then
        pending = pending + 1
      end
    end
  end
  book.recall = book.recall + 1
  book.recall_pending = pending
  if pending == 0 then
    book.slack_out = false
  else
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

local function answer_group(books, m, group)
  if recovering(books) then return 'recovering' end
  local refused, waiting, states = {}, false, {}
  for _, need in ipairs(group) do
    local l = m.leases[need.lease]
    if books.now >= l.book.finish * 1000 or l.book.account == '' then return 'closed' end
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

local function is_short(books, book)
  return recall_running(books, book) or book.floors[0] ~= nil
end

-- Beyond needs: at most what was wanted, and a share of what is free, so that slices shrink as money runs out.
local function grant_wants(books, m)
  for _, l in ipairs(m.leases) do
    local shortage = l.want - l.row.granted
    l.share = demand_share(books, l)
    if shortage > 0 and books.now < l.book.finish * 1000 and l.book.account ~= '' and not is_short(books, l.book) then
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
  if is_short(books, l.book) or cap <= l.book.committed then return 0 end
  local slack = floor((cap - l.book.committed) * (l.share or 0))
  if slack > 0 then l.book.slack_out = true end
  return slack
end

-- Announces warn steps that were passed, each once a period; refreshes the view of the doubt at most once a second.
local function announce(books, book)
  local warns = ladder(book.steps, book.allowance)
  if book.committed > book.spent and books.now - book.doubt_ms >= 1000 then
    book.doubt = doubt_of(books, book.generation, book.start)
    book.doubt_ms = books.now
  end
  while book.warned < #warns and book.spent + book.doubt >= warns[book.warned + 1] and book.allowance > 0 do
    book.warned = book.warned + 1
    append_event(books, 'budget.warned', { 'actor', 'ledger', 'account', book.account, 'budget', book.budget,
      'generation', book.generation, 'period', book.start, 'step', int(book.warned), 'after', int(book.spent) })
  end
  local freed = false
  for level, amount in pairs(book.floors) do
    local c = ceilings_of(book)[level + 1]
    if not c or c.amount - book.committed >= amount then
      book.floors[level] = nil
      freed = true
    end
  end
  if freed and books.now - book.freed_ms >= FREED_GAP_MS then
    book.freed_ms = books.now
    call('PUBLISH', prefix .. 'news', 'freed ' .. book.generation .. ' ' .. book.start)
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
merge(books, m, s, ahead)
if not m.old then
  local open = prefix .. 'open:' .. m.sid
  each_number(m.opened, 'SADD', open)
  each_number(m.expired, 'SADD', prefix .. 'expired:' .. m.sid)
  each_number(m.closed, 'SREM', open)
  each_number(m.closed, 'SREM', prefix .. 'expired:' .. m.sid)
  if adopted then s.next = max(s.next, m.next) end
  for _, p in ipairs(m.parked) do
    call('HSET', prefix .. 'parked:' .. m.sid, p.number, p.text)
    call('ZADD', prefix .. 'parked', int(p.expires), m.sid .. '/' .. p.number)
  end
  if adopted then prune_inbox(books, s) end
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
    if l.book.recall_ms > 0 then
      l.book.recall_pending = l.book.recall_pending - 1
      -- The last holder has answered: those who wait may ask again.
      if l.book.recall_pending <= 0 then
        call('PUBLISH', prefix .. 'news', 'freed ' .. l.book.generation .. ' ' .. l.book.start)
      end
    end
  end
  recall_running(books, l.book)
end
if not m.old and not s.over and not s.final then
  for i, group in ipairs(m.groups) do groups[i] = answer_group(books, m, group) end
  if not recovering(books) then grant_wants(books, m) end
end

local leases = {}
for i, l in ipairs(m.leases) do
  local slack = slack_for(books, l)
  local floors = {}
  announce(books, l.book)
  for level = 0, 8 do
    if l.book.floors[level] then floors[#floors + 1] = level .. '=' .. int(l.book.floors[level]) end
  end
  leases[i] = table.concat({ int(l.row.granted), int(l.book.committed), int(l.book.spent), int(l.book.doubt),
    int(l.book.allowance), int(l.book.limit), l.book.ceilings_text, int(slack),
    l.book.recall_ms > 0 and int(l.book.recall) or '0', table.concat(floors, ','), int(l.book.finish),
    int(l.book.reached), l.book.mode }, '|')
end
store_all()

local inbox = call('HGETALL', prefix .. 'inbox:' .. m.sid)
local entries = {}
for i = 1, min(#inbox, 200) do entries[i] = inbox[i] end
local sessions = call('ZCOUNT', prefix .. 'sessions', int(books.now), '+inf')
end_writing(books)
return { int(books.now), books.history, int(books.seq), int(books.version), int(books.ttl),
  int(books.recovering_until), int(sessions), s.over and '1' or '0', (s.final and s.ended) and '1' or '0',
  entries, leases, groups }
