-- Units: who holds how many of a lane's day, who waits, and when each waiter can start.
--
-- A rule is { limit = units per day or nil, offset = minutes that the day is ahead of UTC }. A holder's units are in
-- its entry; what a round of the day's reservations took back (the cloud said that the day is spent) counts no more.
local DAY = 86400000000
-- Waiters that one event moves in the due queue. Those behind have days to wait, and come up again before.
local WOKEN = 256
-- Waiters that a picture names.
local SHOWN = 100

local function rule_of(limit, offset)
  return { limit = limit ~= '' and tonumber(limit) or nil, offset = tonumber(offset) }
end

local function day_of(rule, at)
  local shifted = at + rule.offset * 60000000
  return (shifted - math.fmod(shifted, DAY)) / DAY
end

local function resets_at(rule, at) return (day_of(rule, at) + 1) * DAY - rule.offset * 60000000 end

-- Keeps the rule of a lane for the events that come without one, such as a cancel.
local function remember_rule(lane, rule)
  local limit, offset = rule.limit and int(rule.limit) or '', int(rule.offset)
  local known = redis.call('HMGET', lane_key(lane), 'limit', 'offset')
  if known[1] ~= limit or known[2] ~= offset then
    redis.call('HSET', lane_key(lane), 'limit', limit, 'offset', offset)
  end
end

local function last_rule(lane)
  local known = redis.call('HMGET', lane_key(lane), 'limit', 'offset')
  if not known[2] then return nil end
  return rule_of(known[1] or '', known[2])
end

local function parse_day(lane, number, text)
  if not text then return nil end
  local reserved, committed, spent, round = string.match(text, '^(%d+),(%d+),(%d),(%d+)$')
  if not reserved then error('CORRUPT the day ' .. int(number) .. ' of the lane ' .. lane) end
  return {
    reserved = tonumber(reserved), committed = tonumber(committed), spent = spent == '1', round = tonumber(round),
  }
end

local function format_day(day)
  return string.format('%.0f,%.0f,%d,%.0f', day.reserved, day.committed, day.spent and 1 or 0, day.round)
end

-- Reads a day; nil when nothing was ever counted on it.
local function find_day(lane, number)
  return parse_day(lane, number, redis.call('HGET', lane_key(lane), 'day:' .. int(number)))
end

-- Whether nobody waits is for the caller to know.
local function has_room(day, rule, units)
  if day.spent then return false end
  return not rule.limit or day.reserved + day.committed + units <= rule.limit
end

local function load_day(lane, number)
  return find_day(lane, number) or { reserved = 0, committed = 0, spent = false, round = 0, is_new = true }
end

-- Writes a day; the first write of a day forgets those before yesterday.
local function save_day(lane, number, day)
  local key = lane_key(lane)
  redis.call('HSET', key, 'day:' .. int(number), format_day(day))
  if not day.is_new then return end
  day.is_new = nil
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local old = string.match(field, '^day:(%-?%d+)$') or string.match(field, '^key:(%-?%d+):')
    if old and tonumber(old) < number - 1 then redis.call('HDEL', key, field) end
  end
end

-- Returns what the operation holds; a reservation that lapsed with its round is none any more.
local function load_hold(entry)
  if not entry.h then return nil end
  local number, units, committed, round = string.match(entry.h, '^(%d+):(%d+):(%d):(%d+)$')
  if not number then error('CORRUPT the units of its entry are damaged') end
  local hold = {
    day = tonumber(number), units = tonumber(units), committed = committed == '1', round = tonumber(round),
  }
  if not hold.committed then
    local day = find_day(entry.lane, hold.day)
    if not day or day.round > hold.round then return nil end
  end
  return hold
end

local function format_hold(hold)
  return string.format('%.0f:%.0f:%d:%.0f', hold.day, hold.units, hold.committed and 1 or 0, hold.round)
end

-- Forgets a hold; a reservation no longer counts on its day, a commitment does.
local function drop_hold(id, entry, hold)
  if not hold.committed then
    local day = find_day(entry.lane, hold.day)
    if day then
      day.reserved = math.max(0, day.reserved - hold.units)
      save_day(entry.lane, hold.day, day)
    end
  end
  write(id, entry, { h = false })
end

local function shown_hold(hold)
  return (hold.committed and 'c:' or 'r:') .. int(hold.day) .. ':' .. int(hold.units)
end

local function waiter_id(member) return string.sub(member, 1, 36) end
local function waiter_units(member) return tonumber(string.sub(member, 38)) or 1 end

-- Days are filled in order and never revisited, so nobody overtakes. A waiter that wants more than a whole day has
-- gets a day of its own.
local function begin_filling(lane, rule)
  local today = load_day(lane, day_of(rule, NOW))
  local limit = rule.limit or 4294967295
  local free = 0
  if not today.spent then free = math.max(0, limit - today.reserved - today.committed) end
  return { rule = rule, limit = limit, free = free, earliest = NOW, is_today = true }
end

local function fill(filling, units)
  local wanted = math.max(1, math.min(units, filling.limit))
  if wanted > filling.free then
    filling.earliest = resets_at(filling.rule, filling.earliest)
    filling.is_today = false
    filling.free = filling.limit
  end
  filling.free = math.max(0, filling.free - wanted)
end

-- Works out where somebody with this order of admission stands, or would stand, and when it can start.
local function place(lane, rule, seq, units)
  local position = redis.call('ZCOUNT', wait_key(lane), '-inf', '(' .. seq)
  local filling = begin_filling(lane, rule)
  if position > 0 then
    for _, member in ipairs(redis.call('ZRANGE', wait_key(lane), 0, position - 1)) do
      fill(filling, waiter_units(member))
    end
  end
  fill(filling, units)
  return position, filling.earliest, filling.is_today
end

-- Takes the operation out of the waiting list; returns whether it stood there.
local function stop_waiting(id, entry)
  if not entry.wu then return false end
  redis.call('ZREM', wait_key(entry.lane), id .. ':' .. entry.wu)
  write(id, entry, { wu = false })
  return true
end

local function start_waiting(id, entry, units)
  if entry.wu ~= int(units) then stop_waiting(id, entry) end
  redis.call('ZADD', wait_key(entry.lane), entry.seq, id .. ':' .. int(units))
  write(id, entry, { wu = units })
end

local function reserve(id, entry, rule, units)
  local number = day_of(rule, NOW)
  local day = load_day(entry.lane, number)
  day.reserved = day.reserved + units
  save_day(entry.lane, number, day)
  write(id, entry, { h = format_hold({ day = number, units = units, round = day.round }) })
end

-- Gives the operation its units, or its place in the waiting list; the caller wakes those whose place that moved.
-- Returns what its record says then, and its place while it waits.
local function turn(id, entry, rule, units)
  remember_rule(entry.lane, rule)
  local hold = load_hold(entry)
  if hold then
    if hold.day == day_of(rule, NOW) then return shown_hold(hold) end
    drop_hold(id, entry, hold)
  end
  local position, earliest, is_today = place(entry.lane, rule, entry.seq, units)
  if is_today then
    stop_waiting(id, entry)
    reserve(id, entry, rule, units)
    return shown_hold(load_hold(entry))
  end
  start_waiting(id, entry, units)
  return 'w', position, earliest
end

-- Turns today's reservation into use for good; returns the hold, or nil when there is none of today.
local function commit_hold(id, entry, rule)
  local hold, today = load_hold(entry), day_of(rule, NOW)
  if not hold then return nil end
  if hold.committed then return hold end
  if hold.day ~= today then return nil end
  local day = load_day(entry.lane, today)
  day.reserved = math.max(0, day.reserved - hold.units)
  day.committed = day.committed + hold.units
  save_day(entry.lane, today, day)
  hold.committed = true
  write(id, entry, { h = format_hold(hold) })
  return hold
end

-- Gives back whatever the operation holds, and its place in the waiting list; returns what its record says then, or
-- nil when nothing changed. The caller wakes the waiters.
local function give_back(id, entry)
  local was_waiting = stop_waiting(id, entry)
  local hold = load_hold(entry)
  if not hold then
    write(id, entry, { h = false })
    return was_waiting and 'n' or nil
  end
  if hold.committed then
    local day = find_day(entry.lane, hold.day)
    if day then
      day.committed = math.max(0, day.committed - hold.units)
      save_day(entry.lane, hold.day, day)
    end
  end
  drop_hold(id, entry, hold)
  return 'x'
end

-- Ends what the operation has to do with the lane: a reservation and a place in the list go back, a commitment stays
-- counted but belongs to nobody any more.
local function leave(id, entry)
  local hold = load_hold(entry)
  if hold and hold.committed then
    stop_waiting(id, entry)
    drop_hold(id, entry, hold)
    return nil
  end
  return give_back(id, entry)
end

-- Marks today as used up: all reservations that are not committed lapse.
local function mark_spent(lane, rule)
  remember_rule(lane, rule)
  local number = day_of(rule, NOW)
  local day = load_day(lane, number)
  day.spent, day.reserved, day.round = true, 0, day.round + 1
  save_day(lane, number, day)
end

-- Makes the waiters of the lane due when they can start: now, where their units are there.
local function wake_waiters(lane, rule)
  local members = redis.call('ZRANGE', wait_key(lane), 0, WOKEN - 1)
  if #members == 0 then return end
  local filling = begin_filling(lane, rule)
  for _, member in ipairs(members) do
    fill(filling, waiter_units(member))
    local id = waiter_id(member)
    local flat = redis.pcall('HGETALL', entry_key(id))
    if not flat.err and #flat > 0 then
      local entry = as_entry(flat)
      local start = math.max(filling.earliest, tonumber(entry.nb or '-1'))
      if is_leased(entry) then
        if filling.is_today then write(id, entry, { wake = math.min(start, tonumber(entry.wake or int(start))) }) end
      elseif not filling.is_today or not entry.due or tonumber(entry.due) > start then
        if entry.due ~= int(start) then move_due(id, entry, start) end
      end
    end
  end
end

-- Wakes the waiters of a lane under the rule that it was last used with.
local function wake_by_last_rule(lane)
  local rule = last_rule(lane)
  if rule then wake_waiters(lane, rule) end
end

-- Describes the lane's quota now.
local function picture(lane, rule)
  local number = day_of(rule, NOW)
  local day = load_day(lane, number)
  local waiting, filling = {}, begin_filling(lane, rule)
  for _, member in ipairs(redis.call('ZRANGE', wait_key(lane), 0, SHOWN - 1)) do
    fill(filling, waiter_units(member))
    waiting[#waiting + 1] = waiter_id(member)
    waiting[#waiting + 1] = int(filling.earliest)
  end
  return {
    int(NOW), int(number), int(day.committed), int(day.reserved), day.spent and '1' or '0',
    redis.call('ZCARD', wait_key(lane)), waiting,
  }
end

-- Says what the record's own word about its units leaves open: the place of a waiter, and whether a reservation lapsed.
local function shown(entry)
  if entry.q == 'w' and entry.wu then
    local rule = last_rule(entry.lane)
    if rule then
      local position, earliest = place(entry.lane, rule, entry.seq, tonumber(entry.wu))
      return 'w:' .. int(position) .. ':' .. int(earliest)
    end
  elseif string.sub(entry.q, 1, 1) == 'r' and not load_hold(entry) then
    return 'x'
  end
  return entry.q
end

-- Returns an operation as the caller reads it: entry, record, and what it says of its units.
local function answer(id, entry, with_record)
  local flat = {}
  for name, value in pairs(entry) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  local record = with_record and redis.call('GET', record_key(id)) or ''
  return { id, flat, record or '', shown(entry) }
end

-- Writes into the entry how it stands with the quota, if that changed.
local function note_quota(id, entry, word)
  if word and entry.q ~= word then
    write(id, entry, { q = word })
    note_change(id, entry)
  end
end
