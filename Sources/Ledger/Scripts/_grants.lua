-- What a message asks for: needs all or none under the ladder's ceilings, recall rounds, wants from what is free. Needs
-- _sessions; a lease `l` has its book, its row, its ceilings and the credit that the node has not seen yet.

local RECALL_WAIT_MS, DEMAND_WINDOW_MS = 50, 2000

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
