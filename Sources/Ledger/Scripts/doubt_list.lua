-- doubt_list: a page of what is in doubt, by budget period and session; or one of them. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  cursor, '' to begin      ARGV[5]  most (1...1000)
-- ARGV[6]   generation, ARGV[7] start, ARGV[8] session: only this one, also when nothing of it is in doubt; or three ''
--
-- A walk over the open books, some at a time: a page may be short and still have a next one.
-- Result: { next cursor or '', { { generation, start, session, in doubt, resolvable, node, seen_ms, account, budget, unit,
--           period id, period end } ... } }. Node is '' and seen_ms '0' where the session was forgotten.
-- Errors: NOORG, INVALID.

-- @include prologue
-- @include books
-- @include sessions
-- @include doubt

local BOOKS_PER_STEP, BOOKS_PER_CALL = 100, 1000

local scan, after_book, after_session = '0', '', ''
if ARGV[4] ~= '' then
  scan, after_book, after_session = string.match(ARGV[4], '^(%d+) (%S*) (%S*)$')
  if not scan or #scan > 20 then return refuse('INVALID', '/cursor is not a cursor') end
end
local most = integer(ARGV[5], 1, 1000)
if not most then return refuse('INVALID', '/limit is between 1 and 1000') end
if ARGV[6] ~= '' and not is_period(ARGV[6], ARGV[7]) then return refuse('INVALID', '/id is not an id') end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end

local found = {}

local function add(generation, start, sid, row, doubt)
  local v = call('HMGET', book_key(generation, start), 'account', 'budget', 'unit', 'id', 'end')
  local s = call('HMGET', prefix .. 'session:' .. sid, 'node', 'seen_ms')
  found[#found + 1] = { generation, start, sid, int(doubt),
    int(doubt > 0 and resolvable(row, sid, generation, start) or 0), s[1] or '', s[2] or '0', v[1] or '', v[2] or '',
    v[3] or '', v[4] or '', v[5] or '0' }
end

if ARGV[6] ~= '' then
  local row = load_row(ARGV[6], ARGV[7], ARGV[8])
  if not row.new then
    local dead = is_dead(books, load_session(books, ARGV[8]))
    add(ARGV[6], ARGV[7], ARGV[8], row, dead and outstanding(row) or 0)
  end
  return { '', found }
end

-- Returns the session after which the page is full.
local function walk(generation, start, after)
  local key = leases_key(generation, start)
  local sids = call('HKEYS', key)
  table.sort(sids)
  for _, sid in ipairs(sids) do
    if after == '' or sid > after then
      local row = load_row(generation, start, sid)
      if outstanding(row) > 0 and is_dead(books, load_session(books, sid)) then
        add(generation, start, sid, row, outstanding(row))
        if #found == most then return sid end
      end
    end
  end
end

local seen = 0
repeat
  local step = call('ZSCAN', prefix .. 'closing', scan, 'COUNT', int(BOOKS_PER_STEP))
  local names = {}
  for i = 1, #step[2], 2 do names[#names + 1] = step[2][i] end
  table.sort(names)
  for _, name in ipairs(names) do
    if after_book == '' or name >= after_book then
      local generation, start = string.match(name, '^(%w+):(%d+)$')
      local v = call('HMGET', book_key(generation, start), 'committed', 'spent')
      if v[1] and v[1] ~= v[2] then
        local full = walk(generation, start, name == after_book and after_session or '')
        if full then return { scan .. ' ' .. name .. ' ' .. full, found } end
      end
    end
  end
  scan, after_book, after_session = step[1], '', ''
  seen = seen + #names
until scan == '0' or seen >= BOOKS_PER_CALL
return { scan == '0' and '' or scan .. '  ', found }
