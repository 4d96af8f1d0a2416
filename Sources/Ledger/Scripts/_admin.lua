-- Shared by the admin scripts: who changes what and why, repeats by change id, versions, the audit entry. Needs _prologue.
--
-- ARGV[4]  change id: one that was applied before answers as the first time and writes nothing
-- ARGV[5]  actor      ARGV[6]  reason, or ''
-- ARGV[7]  expected version: '' any, '0' must not exist, else the version that the changed thing must have
--
-- Order of an admin script: begin_admin, own validation, check_version, begin_writing, write_change, writes, done.
-- The version of a changed thing is that of its event, so it is never used twice, not even across a rollback.
-- Result of all of them: { version, replayed }, replayed '1' when nothing was written.
local CHANGES_KEPT_MS, CHANGES_KEPT, CHANGES_PER_SWEEP = 86400000, 100000, 100
local RECORD_BYTES, TREE_DEPTH = 65536, 8

local root = string.match(prefix, '{(.*)}')

-- An id of the interface, `[a-z0-9][a-z0-9._-]{0,62}`.
local function is_id(text)
  return text ~= nil and #text <= 63 and string.find(text, '^[a-z0-9][a-z0-9._-]*$') ~= nil
end

local function is_text(text, least, most) return text ~= nil and #text >= least and #text <= most end

local function one_of(text, ...)
  for _, word in ipairs({ ... }) do
    if text == word then return true end
  end
  return false
end

-- Checks what every admin script takes. Returns an error, or the first answer of a repeat; nil to go on.
local function begin_admin(books)
  if not is_text(ARGV[4], 1, 120) or not string.find(ARGV[4], '^[%w._:-]+$') then
    return refuse('INVALID', '/change is not an id')
  end
  if not is_text(ARGV[5], 1, 256) then return refuse('INVALID', '/actor has 1 to 256 bytes') end
  if not is_text(ARGV[6], 0, 1024) then return refuse('INVALID', '/reason has at most 1024 bytes') end
  if ARGV[7] ~= '' and not integer(ARGV[7], 0, MAXIMUM) then return refuse('INVALID', '/version is not a version') end
  if not books then return refuse('NOORG', 'the organisation has no record') end
  local version = call('HGET', prefix .. 'changes', ARGV[4])
  if version then
    write_nothing_new(books)
    return { version, '1' }
  end
end

-- `current` is the version of the thing to change, nil when it does not exist.
local function check_version(current)
  if ARGV[7] == '' then return nil end
  local expected = tonumber(ARGV[7])
  if expected == 0 and current then return refuse('PRECONDITION', 'it exists, at version ' .. int(current)) end
  if expected > 0 and not current then return refuse('PRECONDITION', 'it does not exist') end
  if expected > 0 and expected ~= current then
    return refuse('PRECONDITION', 'its version is ' .. int(current) .. ', not ' .. int(expected))
  end
end

-- Things without a version of their own are made once: only '' and '0' can be expected.
local function check_versionless(exists)
  if ARGV[7] ~= '' and ARGV[7] ~= '0' then return refuse('INVALID', '/version does not apply here') end
  return check_version(exists and 1 or nil)
end

-- Appends the audit entry and remembers the change id. Call it right after begin_writing. Returns the version made.
-- `before` and `after` are the records as texts, '' for none; `fields` are account, budget, generation, key as they apply.
local function write_change(books, kind, target, before, after, fields)
  local entry = { 'actor', ARGV[5], 'change', ARGV[4], 'target', target, 'before', before, 'after', after,
    'reason', ARGV[6] }
  for _, text in ipairs(fields or {}) do entry[#entry + 1] = text end
  append_event(books, kind, entry)
  local changes, at = prefix .. 'changes', prefix .. 'changes_at'
  call('HSET', changes, ARGV[4], int(books.version))
  call('ZADD', at, int(books.now), ARGV[4])
  local old = call('ZRANGEBYSCORE', at, '-inf', int(books.now - CHANGES_KEPT_MS), 'LIMIT', '0', int(CHANGES_PER_SWEEP))
  if #old == 0 then
    local over = min(call('ZCARD', at) - CHANGES_KEPT, CHANGES_PER_SWEEP)
    if over > 0 then old = call('ZRANGE', at, '0', int(over - 1)) end
  end
  if #old > 0 then
    call('HDEL', changes, unpack(old))
    call('ZREM', at, unpack(old))
  end
  return books.version
end

local function done(books, version)
  end_writing(books)
  return { int(version), '0' }
end

local function account_key(id) return prefix .. 'account:' .. id end

local function load_account(id)
  local v = call('HMGET', account_key(id), 'record', 'parent', 'version', 'archived', 'block')
  if not v[1] then return nil end
  return { id = id, record = v[1], parent = v[2], version = tonumber(v[3]), archived = v[4] == '1', block = v[5] or '' }
end

-- For what hangs on an account: the account, or the error that it is unknown or (where that matters) archived.
local function find_account(id, open_only)
  if not is_id(id) then return nil, refuse('INVALID', '/account is not an id') end
  local account = load_account(id)
  if not account then return nil, refuse('NOTFOUND', 'there is no account ' .. id) end
  if open_only and account.archived then return nil, refuse('CONFLICT', 'account ' .. id .. ' is archived') end
  return account
end
