-- What is checked about an organisation's own settings, and their text in the audit. Needs _admin.

-- Returns what is wrong as '<pointer> text', or nil.
local function check_settings(name, timezone, durability, unpriced)
  if not is_text(name, 1, 200) then return '/name has 1 to 200 bytes' end
  if not is_text(timezone, 1, 64) or string.find(timezone, '[^%w/_+-]') then return '/timezone is not a time zone' end
  if not is_text(durability, 1, 32) or not string.find(durability, '^%l+:?%d*$') then
    return '/durability is not a durability'
  end
  if not is_text(unpriced, 1, 32) or not string.find(unpriced, '^[%l_]+$') then return '/unpriced is not a rule' end
end

-- Written by hand: the order of a table's keys must not show in the books.
local function settings_text(name, timezone, durability, unpriced)
  return '{"name":' .. cjson.encode(name) .. ',"timezone":' .. cjson.encode(timezone) .. ',"durability":' ..
    cjson.encode(durability) .. ',"unpriced":' .. cjson.encode(unpriced) .. '}'
end
