-- Shared by every writing script: time, run id, history and sequence of the organisation's books.
--
-- KEYS[1]  bursar:{org}:meta; every other key is built from its prefix, so all share one hash tag and one slot
-- ARGV[1]  time in ms since 1970, or '' for Redis TIME (simulation passes its own)
-- ARGV[2]  run id of the server, or '' for INFO (simulation passes its own)
-- ARGV[3]  a fresh random id: the name of the next history, used only if one begins in this call
--
-- Amounts are integers below 2^53 in the unit's smallest part. They are formatted by int(), never by tostring().
local call = redis.call
local floor, max, min = math.floor, math.max, math.min
local meta = KEYS[1]
local prefix = string.sub(meta, 1, -5)

local MAXIMUM = 4503599627370496 -- 2^52: the sum of two amounts is still exact

local function int(n) return string.format('%.0f', n) end

-- An integer argument within [low, high], or nil. Refuses '1e3', '0x10', 'nan', ' 1' and fractions.
local function integer(text, low, high)
  if not text or not string.find(text, '^-?%d+$') or #text > 17 then return nil end
  local n = tonumber(text)
  if n < low or n > high then return nil end
  return n
end

local function refuse(code, text) return redis.error_reply(code .. ' ' .. text) end

-- Calls a command for many members of a key, as many at once as Lua can pass.
local function each_chunk(list, command, key)
  for first = 1, #list, 1000 do call(command, key, unpack(list, first, min(first + 999, #list))) end
end

-- Reads the state of the books. Writes nothing. Returns nil when the organisation has no record: that is an outage.
local function open_books()
  local m = call('HMGET', meta, 'history', 'seq', 'version', 'time_ms', 'recovering_until_ms', 'ttl_ms', 'run_id')
  if not m[1] then return nil end
  local now = tonumber(ARGV[1])
  if not now then
    local t = call('TIME')
    now = tonumber(t[1]) * 1000 + floor(tonumber(t[2]) / 1000)
  end
  local last = tonumber(m[4])
  local run = ARGV[2]
  if run == '' then run = string.match(call('INFO', 'server'), 'run_id:(%x+)') end
  return {
    history = m[1], seq = tonumber(m[2]), version = tonumber(m[3]), now = max(now, last), last = last,
    behind = max(0, last - now), recovering_until = tonumber(m[5]), ttl = tonumber(m[6]),
    run = run, forgot = run ~= m[7], events = 0, touched = {},
  }
end

-- Shown in a hint; a node that is told of more reads the rest.
local MAXIMUM_TOUCHED = 8
-- Of these no node need read anything: they change no rule.
local NOTES = { ['budget.warned'] = true, ['budget.reached'] = true, ['doubt.resolved'] = true }

-- Appends one entry to the organisation's stream and raises the version. `fields` are name, value, name, value ...
local function append_event(books, kind, fields)
  books.version = books.version + 1
  books.events = books.events + 1
  local account, key = '', ''
  for i = 1, #fields, 2 do
    if fields[i] == 'account' then account = fields[i + 1] elseif fields[i] == 'key' then key = fields[i + 1] end
  end
  local word = key ~= '' and 'key:' .. key or account
  if word ~= '' and not NOTES[kind] and #books.touched < MAXIMUM_TOUCHED then books.touched[#books.touched + 1] = word end
  call('XADD', prefix .. 'events', int(books.version) .. '-0', 'kind', kind, 'time_ms', int(books.now), unpack(fields))
end

-- Redis may have lost writes: the fork is recorded, all sessions get a fresh time to live, nothing is granted for one TTL.
local function start_history(books)
  call('HSET', prefix .. 'lineage', books.history, int(books.seq))
  local before = books.history
  books.history = ARGV[3]
  books.recovering_until = books.now + books.ttl
  -- Versions of the lost second may have been seen by nodes: never hand out the same number twice.
  books.version = books.version + 1024
  append_event(books, 'history.started', { 'actor', 'ledger', 'before', before, 'after', books.history })
end

-- The first write of every writing script: compares the run id and raises seq. Call it after all validation.
-- A node passes the (history, seq) that it knows. Returns true when the node is ahead of the books, that is, when it has
-- seen an answer which the books have forgotten; only then may its `granted` be merged.
local function begin_writing(books, history, seq)
  if books.forgot then start_history(books) end
  local ahead = false
  if history and history ~= '' then
    if history == books.history then
      ahead = seq > books.seq
      if ahead then start_history(books) end
    else
      local fork = call('HGET', prefix .. 'lineage', history)
      ahead = seq > tonumber(fork or '0')
      if not fork then
        call('HSET', prefix .. 'lineage', history, '0')
        start_history(books)
      end
    end
  end
  books.seq = books.seq + 1
  return ahead
end

-- The last write of every writing script: stores the head of the books and publishes the hint of new events:
-- 'version V', then the accounts ('ID') and keys ('key:ID') they concern, so that nodes stop relying on what they hold.
local function end_writing(books)
  call('HSET', meta, 'history', books.history, 'seq', int(books.seq), 'version', int(books.version),
    'time_ms', int(books.now), 'recovering_until_ms', int(books.recovering_until), 'run_id', books.run,
    'clock_behind_ms', int(books.behind))
  if books.events > 0 then
    table.insert(books.touched, 1, 'version ' .. int(books.version))
    call('PUBLISH', prefix .. 'news', table.concat(books.touched, ' '))
  end
end

local function recovering(books) return books.now < books.recovering_until end

-- The write of a repeat, which changes nothing: who waits for replicas or the disk waits for the last write of the
-- connection, and there must be one.
local function write_nothing_new(books) call('HSET', meta, 'history', books.history) end
