-- statements_read: the final statements of a budget's closed periods, the newest first. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  generation     ARGV[5]  only this start, or ''
-- ARGV[6]   only starts below this one, or ''     ARGV[7]  most statements (1...1000)
--
-- Result: { { start, id, end, unit, mode, amount, adjusted, rollover, rolled over, allowance, limit, committed, spent,
--   direct, leased, in doubt, closed (ms), late, late (ms) } ... }. Late: what was booked after the close, and when last.
-- Errors: NOORG, INVALID.

-- @include prologue
-- @include books

local generation, only, below, most = ARGV[4], ARGV[5], ARGV[6], integer(ARGV[7], 1, 1000)
if not most then return refuse('INVALID', '/limit is between 1 and 1000') end
if below ~= '' and not integer(below, 0, MAXIMUM) then return refuse('INVALID', '/cursor is not a start') end
local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local starts = { only }
if only == '' then
  starts = call('ZREVRANGEBYSCORE', prefix .. 'closed_periods:' .. generation, below == '' and '+inf' or '(' .. below, '-inf',
    'LIMIT', '0', int(most))
end
local rows = {}
for _, start in ipairs(starts) do
  local s = load_statement(generation, start)
  if s then
    -- While its book is there, that has the newest of what came late.
    local v = call('HMGET', book_key(generation, start), 'spent', 'late_ms')
    if v[1] then s.late, s.late_ms = int(tonumber(v[1]) - tonumber(s.spent)), v[2] or '' end
    local row = { start }
    for i = 1, 18 do row[i + 1] = s[STATEMENT_FIELDS[i]] end
    rows[#rows + 1] = row
  end
end
return rows
