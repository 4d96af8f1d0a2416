-- books_read: the figures of one budget's period, with its sums made anew from the lease rows. Reads only.
--
-- KEYS[1]   see _prologue      ARGV[4]  generation     ARGV[5]  start, or '' for all opened periods of the generation
-- ARGV[6]   most periods to read (1...100), newest first
--
-- Result: list of { start, end, id, unit, mode, allowance, limit, committed, spent, direct, leased, in_doubt,
--   committed from rows, spent from rows, reached, ceilings, steps, warned, amount, adjusted, rollover, sessions, account, budget,
--   when it closes or closed (ms), '1' once it is closed, granted in the last two seconds (or up to four) }
-- leased and in_doubt: outstanding of sessions that live or do not. Errors: NOORG.

-- @include prologue
-- @include books

local books = open_books()
if not books then return refuse('NOORG', 'the organisation has no record') end
local most = integer(ARGV[6] or '1', 1, 100) or 1
local starts = { ARGV[5] }
if ARGV[5] == '' then
  starts = call('ZREVRANGE', prefix .. 'periods:' .. ARGV[4], '0', int(most - 1))
end
local result = {}
for _, start in ipairs(starts) do
  local v = call('HMGET', book_key(ARGV[4], start), 'end', 'id', 'unit', 'mode', 'allowance', 'limit', 'committed',
    'spent', 'direct', 'reached', 'ceilings', 'steps', 'warned', 'amount', 'adjusted', 'rollover', 'account', 'budget',
    'kept', 'closed_ms', 'deleted_ms', 'granted_lately')
  if v[1] then
    -- What rows that were trimmed left outstanding counts as doubt.
    local kept = tonumber(v[19] or '0')
    local leased, doubt, committed, spent, live = 0, kept, tonumber(v[9]) + kept, tonumber(v[9]), 0
    local granted, granted_before = granted_lately(v[22] or '0 0 0', books.now)
    local all = call('HGETALL', leases_key(ARGV[4], start))
    for i = 1, #all, 2 do
      local g, u, r, b = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%d+)')
      g, u, r, b = tonumber(g), tonumber(u), tonumber(r), tonumber(b)
      local rest = g - u - r - b
      committed, spent = committed + g - r, spent + u + b
      local over, final = unpack(call('HMGET', prefix .. 'session:' .. all[i], 'over', 'final'))
      local expires = max(tonumber(call('ZSCORE', prefix .. 'sessions', all[i]) or '0'), books.recovering_until)
      if over == '1' or final == '1' or expires < books.now then
        doubt = doubt + rest
      else
        leased, live = leased + rest, live + 1
      end
    end
    result[#result + 1] = { start, v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], int(leased), int(doubt),
      int(committed), int(spent), v[10], v[11], v[12], v[13], v[14], v[15], v[16], int(live), v[17], v[18],
      v[20] or int(closes_at(books, v[21] and tonumber(v[21]) / 1000 or tonumber(v[1]))), v[20] and '1' or '0',
      int(granted + granted_before) }
  end
end
return result
