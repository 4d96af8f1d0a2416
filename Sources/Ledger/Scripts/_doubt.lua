-- Shared by the scripts about money in doubt: whose it is, and how much of it nothing will resolve by itself. Needs _sessions.

-- Whether a session's outstanding is in doubt. In a new history every session that is not over lives for a while.
local function is_dead(books, s)
  return s.over or s.final or (not books.forgot and expired(books, s))
end

-- What of a row will be booked from the inbox as soon as its session is ended.
local function inbox_part(sid, generation, start)
  local total = 0
  local all = call('HGETALL', prefix .. 'inbox:' .. sid)
  for i = 2, #all, 2 do
    local e = read_entry(all[i])
    if not e.booked then
      for _, item in ipairs(e.items) do
        if item.generation == generation and item.start == start then
          total = total + min(booked_part(item, e.expired), e.expired and 0 or item.hold)
        end
      end
    end
  end
  return total
end

-- What an administrator may resolve of a dead session's row. Holds that were parked end by themselves: they follow their
-- budget's rule when they expire.
local function resolvable(row, sid, generation, start)
  local parked = parked_holds(sid)[generation .. ':' .. start] or 0
  return max(0, outstanding(row) - parked - inbox_part(sid, generation, start))
end
