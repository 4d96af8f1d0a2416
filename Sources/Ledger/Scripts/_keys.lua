-- Shared by the scripts about API keys: the state beside a key's record. Needs _admin.
--
-- bursar:{org}:key_state   hash, key id -> "version revoked_ms account"; revoked_ms 0 while the key is valid

local KEYS_PER_ACCOUNT = 1000

local function load_key(id)
  local record, state = call('HGET', prefix .. 'keys', id), call('HGET', prefix .. 'key_state', id)
  if not record or not state then return nil end
  local version, revoked, account = string.match(state, '^(%d+) (%d+) (.+)$')
  return { id = id, record = record, version = tonumber(version), revoked = tonumber(revoked), account = account }
end

local function store_key(id, record, version, revoked, account)
  call('HSET', prefix .. 'keys', id, record)
  call('HSET', prefix .. 'key_state', id, int(version) .. ' ' .. int(revoked) .. ' ' .. account)
  call('SADD', prefix .. 'keys_of:' .. account, id)
end

-- A place for one more key of an account: where it has all it may have, the one that was revoked first has to go.
-- Returns its id, '' when nothing has to go, nil when all are valid.
local function place_for_key(account)
  local key = prefix .. 'keys_of:' .. account
  if call('SCARD', key) < KEYS_PER_ACCOUNT then return '' end
  local ids, first, first_ms = call('SMEMBERS', key), nil, nil
  for i, state in ipairs(call('HMGET', prefix .. 'key_state', unpack(ids))) do
    local revoked = tonumber(string.match(state or '', '^%d+ (%d+)') or '0')
    if revoked > 0 and (not first or revoked < first_ms or revoked == first_ms and ids[i] < first) then
      first, first_ms = ids[i], revoked
    end
  end
  return first
end

local function forget_key(account, id)
  if id == '' then return end
  call('HDEL', prefix .. 'keys', id)
  call('HDEL', prefix .. 'key_state', id)
  call('SREM', prefix .. 'keys_of:' .. account, id)
end
