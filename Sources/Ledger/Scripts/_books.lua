-- Books of a budget's period: opening them, their figures, the lease rows in them. Needs _prologue.
--
-- bursar:{org}:book:<generation>:<start>     hash, one budget period
-- bursar:{org}:leases:<generation>:<start>   hash, session -> "granted used returned booked answered"

-- `fraction` (in 1/10,000) of an amount, rounded down, without leaving the exact integers.
local function part_of(amount, fraction)
  if amount < 0 then return 0 end
  local whole = floor(amount / 10000)
  return min(MAXIMUM, whole * fraction + floor((amount - whole * 10000) * fraction / 10000))
end

-- Whether these name a budget's period. '0123' would be a second name of 123, with books of its own.
local function is_period(generation, start)
  return generation and start and #generation <= 64 and string.find(generation, '^%w+$') and #start <= 12
    and (start == '0' or string.find(start, '^[1-9]%d*$')) and true or false
end

-- Whether something fits under these ceilings ("AMOUNT:KIND:RATE,...") that did not fit under those before.
local function ceilings_rose(before, after)
  local function amounts_of(text)
    local list, kinds = {}, ''
    for amount, kind in string.gmatch(text, '(%d+):(%a+):') do
      list[#list + 1] = tonumber(amount)
      kinds = kinds .. kind .. ','
    end
    return list, kinds
  end
  local old, old_kinds = amounts_of(before)
  local new, new_kinds = amounts_of(after)
  if old_kinds ~= new_kinds then return true end
  for i, amount in ipairs(new) do
    if amount > old[i] then return true end
  end
  return false
end

local function book_key(generation, start) return prefix .. 'book:' .. generation .. ':' .. start end
local function leases_key(generation, start) return prefix .. 'leases:' .. generation .. ':' .. start end

-- Parses steps "8000:warn,10000:throttle:60,11000:block" into warn amounts and ceilings for an allowance.
-- Ceilings come in order of their fraction: { amount, kind, rate }. Shadow budgets have no ceilings that bind.
local function ladder(steps, allowance)
  local warns, ceilings = {}, {}
  for at, kind, rate in string.gmatch(steps, '(%d+):(%a+):?(%d*)') do
    local amount = part_of(allowance, tonumber(at))
    if kind == 'warn' then
      warns[#warns + 1] = amount
    else
      ceilings[#ceilings + 1] = { amount = amount, kind = kind, rate = tonumber(rate) }
    end
  end
  return warns, ceilings
end

-- The sum of the adjustments of a budget that hold in a period at a time, and when that sum changes next.
local function adjustments_at(generation, start, finish, now)
  local total, changes = 0, nil
  local all = call('HGETALL', prefix .. 'adjustments:' .. generation)
  for i = 2, #all, 2 do
    -- "amount expires period_start": expires is 'period_end', 'never' or a time in ms
    local amount, expires, period = string.match(all[i], '^(-?%d+) (%S+) (%d+)')
    local holds
    if expires == 'period_end' then
      holds = period == start
    elseif expires == 'never' then
      holds = tonumber(period) <= tonumber(start)
    else
      local ends = tonumber(expires)
      holds = tonumber(period) <= tonumber(start) and ends > now
      if holds and (not changes or ends < changes) then changes = ends end
    end
    if holds then total = total + tonumber(amount) end
  end
  return total, changes
end

-- The end and id of a budget's period that starts at `start` (seconds), or nil when the budget has no such period.
local function period_of(budget, start)
  local length = ({ minute = 60, hour = 3600 })[budget.every]
  if length then
    local s = tonumber(start)
    if s % length ~= 0 then return nil end
    return s + length, 'at' .. start
  end
  local finish, id = string.match(',' .. budget.periods .. ',', ',' .. start .. ':(%d+):([^,]+),')
  if not finish then return nil end
  return tonumber(finish), id
end

local BUDGET_FIELDS = { 'generation', 'unit', 'amount', 'mode', 'steps', 'next_amount', 'next_from', 'rollover_max',
  'every', 'periods' }

local function load_budget(account, name)
  local v = call('HMGET', prefix .. 'budget:' .. account .. '/' .. name, unpack(BUDGET_FIELDS))
  if not v[1] then return nil end
  local b = { account = account, name = name }
  for i, field in ipairs(BUDGET_FIELDS) do b[field] = v[i] end
  return b
end

-- A period closes when no reservation that its nodes made in it can still be open: then its statement is final.
local CLOSING_MS = 3600000

-- Days after which nothing about an ended session is asked any more; ids older than that are refused at the border.
local RETENTION_S = 259200

local function closes_at(books, finish) return finish * 1000 + CLOSING_MS + books.ttl end

-- bursar:{org}:closing   zset, "generation:start" of every book there is -> when it is to be closed, then to be trimmed
local function close_later(generation, start, at)
  call('ZADD', prefix .. 'closing', int(at), generation .. ':' .. start)
end

-- bursar:{org}:statements:<generation>  hash, start -> statement; its starts in the zset closed_periods:<generation>
-- A statement is text, these fields joined by '|'. All but the last three are written once, at the close.
local STATEMENT_FIELDS = { 'id', 'end', 'unit', 'mode', 'amount', 'adjusted', 'rollover', 'rolled_over', 'allowance',
  'limit', 'committed', 'spent', 'direct', 'leased', 'in_doubt', 'closed_ms', 'late', 'late_ms', 'committed_now' }

local function statement_text(statement)
  local list = {}
  for i, field in ipairs(STATEMENT_FIELDS) do list[i] = statement[field] end
  return table.concat(list, '|')
end

-- The statement of a period by field, all texts, or nil when it is not closed.
local function load_statement(generation, start)
  local text = call('HGET', prefix .. 'statements:' .. generation, start)
  if not text then return nil end
  local statement, i = {}, 0
  for part in string.gmatch(text .. '|', '([^|]*)|') do
    i = i + 1
    statement[STATEMENT_FIELDS[i]] = part
  end
  return statement
end

local open_book

-- The unspent rest of the period that ends at `start`, leased and doubt counted as spent. One that nobody used has no book
-- yet and leaves all that it gave.
local function rest_before(books, budget, start)
  local previous = call('ZREVRANGEBYSCORE', prefix .. 'periods:' .. budget.generation, '(' .. start, '-inf',
    'LIMIT', '0', '1')[1]
  local v = previous and call('HMGET', book_key(budget.generation, previous), 'end', 'allowance', 'committed')
  if not v or v[1] ~= start then
    local unused = string.match(',' .. budget.periods, ',(%d+):' .. start .. ':')
    if not unused then return 0 end
    local book = open_book(books, budget.generation, unused)
    return book.allowance - book.committed
  end
  return tonumber(v[2]) - tonumber(v[3])
end

-- What a period inherits: the unspent rest of the one before it, capped. What a closed one left was settled at its close;
-- before that it is provisional, and the cap is the second result.
local function rollover_into(books, budget, start)
  local closed = call('ZREVRANGEBYSCORE', prefix .. 'closed_periods:' .. budget.generation, '(' .. start, '-inf',
    'LIMIT', '0', '1')[1]
  local statement = closed and load_statement(budget.generation, closed)
  if statement and statement['end'] == start then return tonumber(statement.rolled_over), '' end
  if not budget.rollover_max or budget.rollover_max == '' then return 0, '' end
  return max(0, min(tonumber(budget.rollover_max), rest_before(books, budget, start))), budget.rollover_max
end

-- Writes what a book gives: its amount, what it inherits and its adjustments. Keeps what was spent. A rise ends refusals.
-- Returns true when the allowance or a ceiling changed.
local function give(book)
  local allowance = max(0, min(MAXIMUM, book.amount + (book.rollover or 0) + book.adjusted))
  local _, ceilings = ladder(book.steps, allowance)
  local limit = -1
  local binding = {}
  if book.mode == 'enforce' then
    for _, c in ipairs(ceilings) do
      if c.kind == 'block' then limit = c.amount end
      binding[#binding + 1] = int(c.amount) .. ':' .. c.kind .. ':' .. (c.rate and int(c.rate) or '')
    end
  end
  local text = table.concat(binding, ',')
  local changed = allowance ~= book.allowance or text ~= book.ceilings_text
  local rose = book.allowance and (allowance > book.allowance or ceilings_rose(book.ceilings_text, text))
  book.allowance, book.limit, book.ceilings_text = allowance, limit, text
  call('HSET', book.key, 'allowance', int(allowance), 'amount', int(book.amount), 'adjusted', int(book.adjusted),
    'rollover', book.rollover and int(book.rollover) or '', 'rollover_cap', book.rollover_cap, 'limit', int(limit),
    'ceilings', text, 'steps', book.steps, 'mode', book.mode, 'changes_ms',
    book.changes_ms and int(book.changes_ms) or '')
  if rose then
    book.floors, book.reached = {}, 0
    call('HSET', book.key, 'floors', '', 'reached', '0')
  end
  return changed
end

-- Settled when the period before has ended; a book opened ahead of its start inherits at its first use after. The cap
-- under which it inherited stays with it, for the correction at the close of the period before.
local function inherit(books, book, budget)
  if book.rollover ~= nil or tonumber(book.start) * 1000 > books.now then return end
  book.rollover, book.rollover_cap = rollover_into(books, budget, book.start)
end

-- Computes what a budget gives in a period by its present rule and writes it to the book.
local function set_allowance(books, book, budget)
  local finish, id = period_of(budget, book.start)
  book.amount = tonumber(budget.amount)
  if budget.next_amount and budget.next_amount ~= '' and id and id >= budget.next_from then
    book.amount = tonumber(budget.next_amount)
  end
  book.adjusted, book.changes_ms = adjustments_at(budget.generation, book.start, finish, books.now)
  inherit(books, book, budget)
  book.steps, book.mode = budget.steps, budget.mode
  return give(book)
end

local BOOK_FIELDS = { 'allowance', 'limit', 'committed', 'spent', 'ceilings', 'start', 'end', 'floors', 'reached',
  'recall', 'recall_ms', 'recall_pending', 'slack_out', 'freed_ms', 'window', 'demand_now', 'demand_before', 'doubt',
  'doubt_ms', 'warned', 'steps', 'mode', 'changes_ms', 'rollover', 'account', 'budget', 'throttle_us', 'unit', 'quiet_ms',
  'amount', 'adjusted', 'rollover_cap', 'closed_ms', 'deleted_ms', 'late_ms', 'id', 'granted_lately' }

-- Reads a book. Returns nil when it has not been opened.
local function load_book(generation, start)
  local key = book_key(generation, start)
  local v = call('HMGET', key, unpack(BOOK_FIELDS))
  if not v[3] then return nil end
  local book = {
    key = key, generation = generation, start = start, allowance = tonumber(v[1]), limit = tonumber(v[2]),
    committed = tonumber(v[3]), spent = tonumber(v[4]), ceilings_text = v[5], finish = tonumber(v[7]),
    floors = {}, reached = tonumber(v[9]), recall = tonumber(v[10]), recall_ms = tonumber(v[11]),
    recall_pending = tonumber(v[12]), slack_out = v[13] == '1', freed_ms = tonumber(v[14]), window = tonumber(v[15]),
    demand_now = tonumber(v[16]), demand_before = tonumber(v[17]), doubt = tonumber(v[18]),
    doubt_ms = tonumber(v[19]), warned = tonumber(v[20]), steps = v[21], mode = v[22],
    changes_ms = v[23] ~= '' and tonumber(v[23]) or nil, rollover = v[24] ~= '' and tonumber(v[24]) or nil,
    account = v[25], budget = v[26], throttle_us = tonumber(v[27]), unit = v[28],
    quiet_ms = tonumber(v[29] or '0'), amount = tonumber(v[30]), adjusted = tonumber(v[31]), rollover_cap = v[32] or '',
    closed_ms = tonumber(v[33]), deleted_ms = tonumber(v[34]), late_ms = tonumber(v[35]), id = v[36],
    granted_lately = v[37] or '0 0 0', grants = 0,
  }
  for level, amount in string.gmatch(v[8], '(%d+)=(%d+)') do book.floors[tonumber(level)] = tonumber(amount) end
  return book
end

-- Opens the book of a budget's period, or reads it when it is open. A tombstone (deleted budget) or an unknown period
-- gets a book without allowance: late reports are kept, nothing is granted. A closed period whose book was trimmed gets
-- the figures of its statement: what was outstanding is `kept`, without a row.
open_book = function(books, generation, start)
  local book = load_book(generation, start)
  if book then return book end
  local account, name = string.match(call('HGET', prefix .. 'generations', generation) or '', '^([^/]+)/(.+)$')
  local budget = account and load_budget(account, name)
  if budget and budget.generation ~= generation then budget = nil end
  local statement = load_statement(generation, start)
  local finish, id
  if statement then
    finish, id = tonumber(statement['end']), statement.id
  elseif budget then
    finish, id = period_of(budget, start)
  end
  local key = book_key(generation, start)
  call('HSET', key, 'generation', generation, 'account', account or '', 'budget', name or '',
    'unit', budget and budget.unit or '', 'start', start, 'end', finish and int(finish) or start, 'id', id or '',
    'allowance', '0', 'limit', '0', 'committed', '0', 'spent', '0', 'direct', '0', 'ceilings', '0:block:',
    'floors', '', 'reached', '0', 'recall', '0', 'recall_ms', '0', 'recall_pending', '0', 'slack_out', '0',
    'freed_ms', '0', 'window', '0', 'demand_now', '0', 'demand_before', '0', 'doubt', '0', 'doubt_ms', '0',
    'warned', '0', 'steps', '', 'mode', 'enforce', 'changes_ms', '', 'rollover', '', 'throttle_us', '0',
    'amount', '0', 'adjusted', '0')
  call('ZADD', prefix .. 'periods:' .. generation, start, start)
  close_later(generation, start, finish and closes_at(books, finish) or books.now + RETENTION_S * 1000)
  if statement then
    local s = statement
    local spent = tonumber(s.spent) + tonumber(s.late)
    call('HSET', key, 'allowance', s.allowance, 'limit', s.limit, 'committed', s.committed_now, 'spent', int(spent),
      'direct', int(spent), 'kept', int(tonumber(s.committed_now) - spent), 'unit', s.unit, 'mode', s.mode, 'amount',
      s.amount, 'adjusted', s.adjusted, 'rollover', s.rollover, 'closed_ms', s.closed_ms, 'late_ms', s.late_ms)
  elseif budget and finish then
    set_allowance(books, load_book(generation, start), budget)
  end
  return load_book(generation, start)
end

-- Applies what time alone changes in an open book: an adjustment that expired, a rollover that became due. A period that
-- is over keeps what it gave: neither what expires later nor a later rule changes its statement.
local function refresh_book(books, book)
  local ended = book.finish * 1000 <= books.now
  local due = not ended and book.changes_ms and book.changes_ms <= books.now
  local inherits = book.rollover == nil and tonumber(book.start) * 1000 <= books.now and book.finish > tonumber(book.start)
  if not (due or inherits) or book.account == '' or book.closed_ms or book.deleted_ms then return end
  local budget = load_budget(book.account, book.budget)
  if not budget or budget.generation ~= book.generation then return end
  if ended then
    inherit(books, book, budget)
    give(book)
  else
    set_allowance(books, book, budget)
  end
end

-- The ceilings of a book as { amount, kind, rate }, lowest first.
local function ceilings_of(book)
  local list = {}
  for amount, kind, rate in string.gmatch(book.ceilings_text, '(%d+):(%a+):(%d*)') do
    list[#list + 1] = { amount = tonumber(amount), kind = kind, rate = tonumber(rate) }
  end
  return list
end

-- Tells the nodes that the allowance of a book changed: to give back what no longer fits, or that needs which were
-- refused may fit now. `refused`: needs were remembered as refused before the change.
local function announce_allowance(books, book, refused)
  if refused and next(book.floors) == nil then
    book.freed_ms = books.now
    call('HSET', book.key, 'freed_ms', int(books.now))
    call('PUBLISH', prefix .. 'news', 'freed ' .. book.generation .. ' ' .. book.start)
  end
  local lowest = ceilings_of(book)[1]
  if lowest and book.committed > lowest.amount then
    call('PUBLISH', prefix .. 'news', 'recall ' .. book.generation .. ' ' .. book.start .. ' 0')
  end
end

local function load_row(generation, start, session)
  local text = call('HGET', leases_key(generation, start), session)
  if not text then return { granted = 0, used = 0, returned = 0, booked = 0, answered = 0, window = 0, new = true } end
  local g, u, r, b, a, w = string.match(text, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  return { granted = tonumber(g), used = tonumber(u), returned = tonumber(r), booked = tonumber(b),
    answered = tonumber(a), window = tonumber(w), text = text }
end

local function outstanding(row) return max(0, row.granted - row.used - row.returned - row.booked) end

-- Redis may lose the grants of its last two seconds. They are counted by windows of two: "WINDOW NOW BEFORE".
local GRANT_WINDOW_MS = 2000

-- What was granted in the present window and in the one before it.
local function granted_lately(text, now)
  local at, last, before = string.match(text, '^(%d+) (%d+) (%d+)$')
  local window = floor(now / GRANT_WINDOW_MS)
  if tonumber(at) == window then return tonumber(last), tonumber(before) end
  return 0, tonumber(at) == window - 1 and tonumber(last) or 0
end

-- The same with more granted, as the book keeps it.
local function granted_text(text, now, more)
  local last, before = granted_lately(text, now)
  return int(floor(now / GRANT_WINDOW_MS)) .. ' ' .. int(min(MAXIMUM, last + more)) .. ' ' .. int(before)
end

-- Stores a row; `committed` and `spent` of its book follow by what changed. Rule 5: an overrun raises `granted`.
-- `before` holds the row's granted, used, returned and booked as they stand in the books.
local function settle_row(book, row, before)
  book.grants = book.grants + max(0, row.granted - before.granted)
  row.granted = max(row.granted, row.used + row.returned + row.booked)
  book.committed = book.committed + (row.granted - row.returned) - (before.granted - before.returned)
  book.spent = book.spent + (row.used + row.booked) - (before.used + before.booked)
end

local function copy_row(row)
  return { granted = row.granted, used = row.used, returned = row.returned, booked = row.booked }
end

local function store_row(generation, start, session, row)
  local text = int(row.granted) .. ' ' .. int(row.used) .. ' ' .. int(row.returned) .. ' ' .. int(row.booked) .. ' ' ..
    int(row.answered) .. ' ' .. int(row.window)
  if text ~= row.text then call('HSET', leases_key(generation, start), session, text) end
  if row.new then call('SADD', prefix .. 'held:' .. session, generation .. ':' .. start) end
  row.text, row.new = text, nil
end
