-- Shared by the scripts that change a budget: its fields' checks, its periods, its opened books. Needs _books and _admin.

local BUDGETS_PER_ACCOUNT, PERIODS_KEPT, BOOKS_PER_CHANGE = 8, 400, 64
local LAST_SECOND = 253402300800 -- the year 10000
local PERIODS_KEPT_S = 86400 -- an exchange may still open the book of a period that ended a moment ago

local ALL_FIELDS = { 'record', 'version', 'generation', 'unit', 'amount', 'mode', 'steps', 'next_amount', 'next_from',
  'rollover_max', 'every', 'periods', 'abandoned', 'outage' }

local function adjustments_key(generation) return prefix .. 'adjustments:' .. generation end

local function budget_key(account, name) return prefix .. 'budget:' .. account .. '/' .. name end

-- All fields of a budget by name, or nil when it does not exist.
local function read_budget(account, name)
  local v = call('HMGET', budget_key(account, name), unpack(ALL_FIELDS))
  if not v[2] then return nil end
  local b = {}
  for i, field in ipairs(ALL_FIELDS) do b[field] = v[i] or '' end
  return b
end

-- The budget named by ARGV[8] and ARGV[9], or nil and the error.
local function find_budget()
  if not is_id(ARGV[9]) then return nil, refuse('INVALID', '/budget is not an id') end
  local account, wrong = find_account(ARGV[8])
  if not account then return nil, wrong end
  local budget = read_budget(ARGV[8], ARGV[9])
  if not budget then return nil, refuse('NOTFOUND', 'account ' .. ARGV[8] .. ' has no budget ' .. ARGV[9]) end
  return budget
end

-- "START:END:ID,..." as a list, or nil when it is malformed, out of order or has a gap.
local function parse_periods(text)
  local list = {}
  if text == '' then return list end
  for item in string.gmatch(text .. ',', '([^,]*),') do
    local start, finish, id = string.match(item, '^(%d+):(%d+):([%w-]+)$')
    local s, f = integer(start, 0, LAST_SECOND), integer(finish, 0, LAST_SECOND)
    if not s or not f or s >= f or #id > 32 or int(s) ~= start or int(f) ~= finish then return nil end
    local last = list[#list]
    if #list == PERIODS_KEPT or last and (last.finish ~= s or last.id >= id) then return nil end
    list[#list + 1] = { start = s, finish = f, id = id, text = item }
  end
  return list
end

-- Whether "FRACTION:KIND[:RATE],..." is a ladder: in order, at most 8 ceilings, nothing that binds above a block.
local function is_ladder(text)
  if #text > 512 then return false end
  if text == '' then return true end
  local last, ceilings, blocks = 1, 0, false
  for item in string.gmatch(text .. ',', '([^,]*),') do
    local at, kind, rate = string.match(item, '^(%d+):(%l+):?(%d*)$')
    local fraction = integer(at, last, 100000)
    if not fraction or item ~= at .. ':' .. kind .. (kind == 'throttle' and ':' .. rate or '') then return false end
    if kind ~= 'warn' then
      ceilings = ceilings + 1
      if blocks or ceilings > 8 or not one_of(kind, 'reroute', 'throttle', 'block') then return false end
      if kind == 'throttle' and not integer(rate, 1, 60000000) then return false end
      blocks = kind == 'block'
    end
    last = fraction
  end
  return true
end

local function is_calendar(every) return one_of(every, 'day', 'week', 'month', 'quarter', 'year') end

-- Returns what is wrong with a budget's fields as '<pointer> text', or nil.
local function check_fields(b)
  if not is_text(b.record, 1, RECORD_BYTES) then return '/record has 1 to 65536 bytes' end
  if not is_text(b.generation, 1, 20) or string.find(b.generation, '[^0-9a-z]') then
    return '/generation is not a generation'
  end
  if not one_of(b.unit, 'usd', 'tokens', 'requests') then return '/unit is not a unit' end
  if not integer(b.amount, 0, MAXIMUM) then return '/amount is not an amount' end
  if not one_of(b.mode, 'enforce', 'shadow') then return '/mode is not a mode' end
  if not is_ladder(b.steps) then return '/steps is not a ladder' end
  if (b.next_amount == '') ~= (b.next_from == '') then return '/next_from belongs to next_amount' end
  if b.next_amount ~= '' and not integer(b.next_amount, 0, MAXIMUM) then return '/next_amount is not an amount' end
  if #b.next_from > 32 or string.find(b.next_from, '[^%w:-]') then return '/next_from is not a period' end
  if b.rollover_max ~= '' and not integer(b.rollover_max, 0, MAXIMUM) then return '/rollover_max is not an amount' end
  if not is_calendar(b.every) and not one_of(b.every, 'minute', 'hour') then return '/every is not a period' end
  local periods = parse_periods(b.periods)
  if not periods then return '/periods is malformed, out of order or has a gap' end
  if is_calendar(b.every) ~= (#periods > 0) then return '/periods belongs to calendar periods' end
  if not one_of(b.abandoned, 'charge', 'release') then return '/abandoned is not a rule' end
  if not is_text(b.outage, 0, 256) then return '/outage has at most 256 bytes' end
end

-- The first opened book, not yet ended, whose period another list of periods would change; nil when there is none.
-- A book that was opened for an unknown period (it ends where it starts) binds nobody.
local function changed_period(books, budget, generation)
  for _, start in ipairs(call('ZREVRANGE', prefix .. 'periods:' .. generation, '0', int(BOOKS_PER_CHANGE - 1))) do
    local v = call('HMGET', book_key(generation, start), 'end', 'id')
    local finish = tonumber(v[1] or start)
    if finish > tonumber(start) and finish * 1000 > books.now then
      local planned, id = period_of(budget, start)
      if planned ~= finish or id ~= v[2] then return v[2] end
    end
  end
end

-- The first stored period, not yet ended, in which an adjustment begins and that other periods would not have: the
-- adjustment would hold nowhere. Returns its id, nil when there is none.
local function orphaned_period(books, old, new)
  local first, first_id
  for _, text in ipairs(call('HVALS', adjustments_key(old.generation))) do
    local start = string.match(text, '^%S+ %S+ (%d+)')
    local finish, id = period_of(old, start)
    if finish and finish * 1000 > books.now and not period_of(new, start) and (not first or tonumber(start) < first) then
      first, first_id = tonumber(start), id
    end
  end
  return first_id
end

-- Makes the current and later opened books follow their budget, and tells the nodes.
local function recompute(books, budget)
  local generation = budget.generation
  for _, start in ipairs(call('ZREVRANGE', prefix .. 'periods:' .. generation, '0', int(BOOKS_PER_CHANGE - 1))) do
    local book = load_book(generation, start)
    local finish, id = period_of(budget, start)
    if book and finish and finish * 1000 > books.now then
      if book.finish ~= finish then
        call('HSET', book.key, 'end', int(finish), 'id', id, 'unit', budget.unit)
        close_later(generation, start, closes_at(books, finish))
      end
      local refused = next(book.floors) ~= nil
      set_allowance(books, book, budget)
      announce_allowance(books, book, refused)
    end
  end
end
