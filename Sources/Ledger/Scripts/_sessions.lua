-- Sessions and what is settled for them by the ledger: inbox entries, parked holds, goodbye. Needs _books.
--
-- An inbox entry and a parked hold are text: "FLAGS|G:START:CHARGE:HOLD G:START:CHARGE:HOLD ...", amounts in book units.
-- Flags of an entry: b booked, f its hold was freed, a made by the ledger when a parked hold expired, e its owner had
-- charged the hold when it expired. Of a parked hold: c charge, r release (the budget's rule for abandoned reservations).

-- Books and rows that this call works on; stored once, at the end.
local opened, opened_order, rows, rows_order = {}, {}, {}, {}

local function book_of(books, generation, start)
  local name = generation .. ':' .. start
  local book = opened[name]
  if not book then
    book = open_book(books, generation, start)
    refresh_book(books, book)
    book.spent_before = book.spent
    opened[name] = book
    opened_order[#opened_order + 1] = book
  end
  return book
end

local function row_of(generation, start, session)
  local name = generation .. ':' .. start .. ':' .. session
  local row = rows[name]
  if not row then
    row = load_row(generation, start, session)
    row.generation, row.start, row.session = generation, start, session
    rows[name] = row
    rows_order[#rows_order + 1] = row
  end
  return row
end

-- Changes a row by `change(row)` and lets its book follow.
local function change_row(book, row, change)
  local before = copy_row(row)
  change(row)
  settle_row(book, row, before)
end

-- Outstanding of sessions that are no longer alive. A view: O(leases of the book).
local function doubt_of(books, generation, start)
  local total = 0
  local all = call('HGETALL', leases_key(generation, start))
  for i = 1, #all, 2 do
    local g, u, r, b = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%d+)')
    local rest = tonumber(g) - tonumber(u) - tonumber(r) - tonumber(b)
    if rest > 0 then
      local over, final = unpack(call('HMGET', prefix .. 'session:' .. all[i], 'over', 'final'))
      local expires = max(tonumber(call('ZSCORE', prefix .. 'sessions', all[i]) or '0'), books.recovering_until)
      if over == '1' or final == '1' or expires < books.now then total = total + rest end
    end
  end
  return total
end

-- Announces warn steps that were passed, each once a period; refreshes the view of the doubt at most once a second.
local function announce_warns(books, book)
  if book.committed == book.spent then
    book.doubt = 0
  elseif books.now - book.doubt_ms >= 1000 then
    book.doubt = doubt_of(books, book.generation, book.start)
    book.doubt_ms = books.now
  end
  local warns = ladder(book.steps, book.allowance)
  while book.warned < #warns and book.spent + book.doubt >= warns[book.warned + 1] and book.allowance > 0 do
    book.warned = book.warned + 1
    append_event(books, 'budget.warned', { 'actor', 'ledger', 'account', book.account, 'budget', book.budget,
      'generation', book.generation, 'period', book.start, 'step', int(book.warned), 'after', int(book.spent) })
  end
end

local FREED_GAP_MS = 50

-- Tells those who wait or refuse that money came back, not more often than nodes can bear.
local function hint_freed(books, book)
  if books.now - book.freed_ms < FREED_GAP_MS then return end
  book.freed_ms = books.now
  call('PUBLISH', prefix .. 'news', 'freed ' .. book.generation .. ' ' .. book.start)
end

-- A refused need that fits by now is no reason to refuse any more, whichever way the money came back.
local function clear_floors(books, book)
  local ceilings, freed = ceilings_of(book), false
  for level = 0, 8 do
    local amount, c = book.floors[level], ceilings[level + 1]
    if amount and (not c or c.amount - book.committed >= amount) then
      book.floors[level] = nil
      freed = true
    end
  end
  if freed then hint_freed(books, book) end
end

local function store_all(books)
  for _, row in ipairs(rows_order) do store_row(row.generation, row.start, row.session, row) end
  for _, book in ipairs(opened_order) do
    -- The statement of a closed period is final: what still comes is shown apart, with its time.
    if book.closed_ms and book.spent ~= book.spent_before then call('HSET', book.key, 'late_ms', int(books.now)) end
    announce_warns(books, book)
    clear_floors(books, book)
    local floors = {}
    for level = 0, 8 do
      if book.floors[level] then floors[#floors + 1] = level .. '=' .. int(book.floors[level]) end
    end
    if book.grants > 0 then
      call('HSET', book.key, 'granted_lately', granted_text(book.granted_lately, books.now, book.grants))
    end
    call('HSET', book.key, 'committed', int(book.committed), 'spent', int(book.spent), 'floors',
      table.concat(floors, ','), 'reached', int(book.reached), 'recall', int(book.recall), 'recall_ms',
      int(book.recall_ms), 'recall_pending', int(book.recall_pending), 'slack_out', book.slack_out and '1' or '0',
      'freed_ms', int(book.freed_ms), 'window', int(book.window), 'demand_now', int(book.demand_now),
      'demand_before', int(book.demand_before), 'doubt', int(book.doubt), 'doubt_ms', int(book.doubt_ms),
      'warned', int(book.warned), 'throttle_us', int(book.throttle_us), 'quiet_ms', int(book.quiet_ms))
  end
end

local function session_key(sid) return prefix .. 'session:' .. sid end

local function load_session(books, sid)
  local v = call('HMGET', session_key(sid), 'n', 'next', 'over', 'final')
  local expires = tonumber(call('ZSCORE', prefix .. 'sessions', sid) or '0')
  -- A new history gives every session a fresh time to live, known or not.
  return {
    id = sid, known = v[1] and true or false, n = tonumber(v[1] or '0'), next = tonumber(v[2] or '0'),
    over = v[3] == '1', final = v[4] == '1', expires = max(expires, books.recovering_until),
  }
end

local function expired(books, s) return s.expires < books.now end

local function read_entry(text)
  local flags, list = string.match(text, '^(%a*)|(.*)$')
  local e = { booked = string.find(flags, 'b', 1, true) ~= nil, freed = string.find(flags, 'f', 1, true) ~= nil,
    auto = string.find(flags, 'a', 1, true) ~= nil, expired = string.find(flags, 'e', 1, true) ~= nil,
    charge_rule = string.find(flags, 'c', 1, true) ~= nil, items = {} }
  for g, start, charge, hold in string.gmatch(list, '(%w+):(%d+):(%d+):(%d+)') do
    e.items[#e.items + 1] = { generation = g, start = start, charge = tonumber(charge), hold = tonumber(hold) }
  end
  return e
end

local function items_text(items)
  local list = {}
  for i, item in ipairs(items) do
    list[i] = item.generation .. ':' .. item.start .. ':' .. int(item.charge) .. ':' .. int(item.hold)
  end
  return table.concat(list, ' ')
end

-- The entry that `text` writes down, or nil when it is malformed: at most 64 budget periods, amounts within bounds.
local function parse_items(text)
  local e = read_entry('|' .. text)
  if #e.items > 64 or items_text(e.items) ~= text then return nil end
  for _, item in ipairs(e.items) do
    if item.charge > MAXIMUM or item.hold > MAXIMUM or not is_period(item.generation, item.start) then return nil end
  end
  return e
end

local function store_entry(sid, number, e)
  local flags = (e.booked and 'b' or '') .. (e.freed and 'f' or '') .. (e.auto and 'a' or '') ..
    (e.expired and 'e' or '')
  call('HSET', prefix .. 'inbox:' .. sid, number, flags .. '|' .. items_text(e.items))
end

-- What booking an entry adds: where the owner had charged the hold, a late commit can only raise that.
local function booked_part(item, is_expired)
  return is_expired and max(0, item.charge - item.hold) or item.charge
end

-- bursar:{org}:resolved:<sid>   hash, "generation:start" -> what an administrator charged of the doubt and nothing has
-- replaced yet. It stands in for commits that are missing: a late one uses it up first, the owner's own report replaces it.
local function resolved_key(sid) return prefix .. 'resolved:' .. sid end

-- Uses up at most so much of what was charged in place of a row's missing commits. Returns how much.
local function use_resolved(row, most)
  local key, name = resolved_key(row.session), row.generation .. ':' .. row.start
  local left = tonumber(call('HGET', key, name) or '0')
  local taken = min(left, most)
  if taken == 0 then return 0 end
  if taken == left then call('HDEL', key, name) else call('HSET', key, name, int(left - taken)) end
  return taken
end

-- Charges `more` to a row, of which the reservation itself still held `own`. The rest is an overrun: it raises `granted`,
-- or it would use up what the dead session's other reservations hold, and a later commit of theirs would find nothing.
local function book_part(row, more, own)
  local charged = use_resolved(row, more)
  row.booked = row.booked + more - charged
  row.granted = row.granted + max(0, more - max(own, charged))
end

-- Charges an entry to the rows of a session that is over.
local function book_entry(books, sid, e)
  if e.booked then return end
  e.booked = true
  for _, item in ipairs(e.items) do
    local book = book_of(books, item.generation, item.start)
    change_row(book, row_of(item.generation, item.start, sid), function(row)
      book_part(row, booked_part(item, e.expired), e.expired and 0 or item.hold)
    end)
  end
end

-- After goodbye: what an entry did not use of its hold goes back to the budget.
local function free_entry(books, sid, e)
  if e.freed then return end
  e.freed = true
  for _, item in ipairs(e.items) do
    local rest = e.expired and 0 or max(0, item.hold - item.charge)
    local book = book_of(books, item.generation, item.start)
    change_row(book, row_of(item.generation, item.start, sid), function(row)
      row.returned = row.returned + min(rest, outstanding(row))
    end)
  end
end

-- Marks a session as over for good and books what others took for it.
local function end_session(books, s)
  s.over = true
  local all = call('HGETALL', prefix .. 'inbox:' .. s.id)
  for i = 1, #all, 2 do
    local e = read_entry(all[i + 1])
    if not e.booked then
      book_entry(books, s.id, e)
      store_entry(s.id, all[i], e)
    end
  end
  call('HSET', session_key(s.id), 'over', '1')
  call('ZREM', prefix .. 'inboxes', s.id)
end

local function forget_session_later(sid)
  for _, name in ipairs({ 'session:', 'open:', 'expired:', 'held:', 'closed:', 'inbox:', 'parked:', 'resolved:' }) do
    call('EXPIRE', prefix .. name .. sid, RETENTION_S)
  end
end

-- Whether a parked hold still keeps money: not once it was committed, nor once the owner counted it, also at its expiry.
local function is_parked(sid, number)
  return call('SISMEMBER', prefix .. 'open:' .. sid, number) == 1
    and call('SISMEMBER', prefix .. 'expired:' .. sid, number) == 0
    and call('HEXISTS', prefix .. 'inbox:' .. sid, number) == 0
end

-- What the parked holds of a session still keep, by "generation:start".
local function parked_holds(sid)
  local keep = {}
  local all = call('HGETALL', prefix .. 'parked:' .. sid)
  for i = 1, #all, 2 do
    if is_parked(sid, all[i]) then
      for _, item in ipairs(read_entry(all[i + 1]).items) do
        local name = item.generation .. ':' .. item.start
        keep[name] = (keep[name] or 0) + item.hold
      end
    end
  end
  return keep
end

-- Bounded housekeeping that rides on every exchange: inboxes of sessions that died, parked holds that expired.
local function sweep(books)
  local now = int(books.now)
  for _, sid in ipairs(call('ZRANGEBYSCORE', prefix .. 'inboxes', '-inf', now, 'LIMIT', '0', '2')) do
    local s = load_session(books, sid)
    if expired(books, s) then
      end_session(books, s)
    else
      call('ZADD', prefix .. 'inboxes', int(s.expires + 1), sid)
    end
  end
  for _, member in ipairs(call('ZRANGEBYSCORE', prefix .. 'parked', '-inf', now, 'LIMIT', '0', '8')) do
    local sid, number = string.match(member, '^(.*)/(%d+)$')
    local s = load_session(books, sid)
    local text = call('HGET', prefix .. 'parked:' .. sid, number)
    if s.known and not s.final and not expired(books, s) then
      -- The owner still settles by itself.
      call('ZADD', prefix .. 'parked', int(books.now + books.ttl), member)
    else
      call('ZREM', prefix .. 'parked', member)
      -- Died between parking its holds and its goodbye: from now on only the ledger settles for it.
      if s.known and not s.over then end_session(books, s) end
      if text and s.over and is_parked(sid, number) then
        local e = read_entry(text)
        for _, item in ipairs(e.items) do item.charge = e.charge_rule and item.hold or 0 end
        e.auto = true
        book_entry(books, sid, e)
        if s.final then free_entry(books, sid, e) end
        store_entry(sid, number, e)
      end
    end
  end
  local old = call('ZRANGEBYSCORE', prefix .. 'sessions', '-inf', int(books.now - RETENTION_S * 1000), 'LIMIT', '0', '1')[1]
  if old then
    call('ZREM', prefix .. 'sessions', old)
    forget_session_later(old)
  end
end

