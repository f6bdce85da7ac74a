-- Decides who is next at a lane: the line of the operations that found it held.
--
-- Whoever frees the lane wakes one of them. Nothing depends on it but speed: each is due by itself some time after the
-- lease of the lane ends, those in front first. One that is woken has left the line, and comes back to the same place
-- should somebody else have been faster; `ln` in its entry tells that it has to pass the word on if it does not take
-- the lane.

-- Distance of those in line where nobody wakes them, in microseconds, and how many of them are told apart.
local APART, MOST_APART = 1000000, 60
-- Who has an open call stands before all who have none: its deadline runs. Longer than any wait, in microseconds.
local BEFORE = 4000000000000000

local function line_key(lane) return TAG .. ':line:' .. lane end

-- Returns the end of the lane's lease; nil when it is free.
local function held_until(lane)
  local held = redis.call('HMGET', lane_key(lane), 'owner', 'exp')
  local expires = held[1] and tonumber(held[2])
  return expires and NOW < expires and expires or nil
end

-- Puts an operation into the line, and tells when it is due if nobody wakes it.
local function stand_in_line(id, entry, since)
  redis.call('ZADD', line_key(entry.lane), int(since - (entry.int == '1' and BEFORE or 0)), id)
  write(id, entry, { ln = '1' })
  local before = redis.call('ZRANK', line_key(entry.lane), id)
  return (held_until(entry.lane) or NOW) + math.min(before, MOST_APART) * APART
end

local function leave_line(id, entry)
  redis.call('ZREM', line_key(entry.lane), id)
  write(id, entry, { ln = false })
end

-- Makes the first in line due if the lane is free.
local function call_next(lane)
  if held_until(lane) then return end
  while true do
    local id = redis.call('ZRANGE', line_key(lane), 0, 0)[1]
    if not id then return end
    redis.call('ZREM', line_key(lane), id)
    -- One that cannot be read, or has gone on, keeps nobody waiting.
    local flat = redis.pcall('HGETALL', entry_key(id))
    local entry = not flat.err and as_entry(flat)
    if entry and entry.kind and entry.ln and entry.due then return due_at_once(id, entry) end
  end
end
