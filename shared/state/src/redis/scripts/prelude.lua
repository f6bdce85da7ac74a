-- Begins every script: keys, time, entries, due queue, announcements.
--
-- KEYS[1]   tag of the shard that the decision is about, such as {sampan.7}. Every key below begins with a tag, so a
--           script that is given one tag stays in one slot. On a cluster a second key of the slot, tag:whole, comes
--           last. Neither exists: while a slot moves from node to node, Redis refuses a script that names two
--           absent keys (TRYAGAIN), at both nodes, so no script ever sees a shard of which a part is elsewhere.
-- ARGV[1]   the time in microseconds where the caller gives it; empty: Redis's own
-- ARGV[2]   newest version of a record that the caller understands
-- ARGV[3]   channel of announcements
--
-- | key                           | type   | content                                                              |
-- |-------------------------------|--------|----------------------------------------------------------------------|
-- | tag:lane:LANE                 | hash   | fence, owner, exp: the lane's lease; limit, offset: its last rule;   |
-- |                               |        | seq: last order of admission; day:N = reserved,committed,spent,round |
-- |                               |        | key:N:KEY = units that were spent under that key on day N            |
-- | tag:wait:LANE                 | zset   | ID:UNITS by order of admission: the waiting list                     |
-- | tag:line:LANE                 | zset   | ID by the time since when it waits for the lane, see `line.lua`      |
-- | tag:entry:ID                  | hash   | what the store itself knows about an operation, see `load`           |
-- | tag:record:ID                 | string | the record as its worker wrote it, JSON                              |
-- | tag:due:KIND                  | zset   | ID by due time: the due queue                                        |
-- | tag:ids                       | zset   | ID, all of score 0, so in the order of their start                   |
-- | tag:request:REQUEST ID:CALLER | string | tag and ID of the operation that the request started                 |
-- | tag:asked:REQUEST ID:CALLER   | string | cluster only: tag of the shard that the request was last heard of in  |
-- | tag:claim:TOKEN               | string | what a claim was given; lives for seconds                            |
-- | tag:check                     | string | when the store was last checked                                      |
--
-- Times are microseconds, days are counted from 1970-01-01. All of them are whole numbers below 2^53, which Lua's
-- numbers hold exactly; only `int` may turn them into text.
local TAG = KEYS[1]

local TAGS = {}
for _, key in ipairs(KEYS) do
  if string.sub(key, -1) == '}' then TAGS[#TAGS + 1] = key end
end

local function lane_key(lane) return TAG .. ':lane:' .. lane end
local function wait_key(lane) return TAG .. ':wait:' .. lane end
local function entry_key(id) return TAG .. ':entry:' .. id end
local function record_key(id) return TAG .. ':record:' .. id end
local function due_key(kind) return TAG .. ':due:' .. kind end
local function ids_key() return TAG .. ':ids' end

local function int(number) return string.format('%.0f', number) end

local function read_clock()
  if ARGV[1] ~= '' then return tonumber(ARGV[1]) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local NOW = read_clock()
local KNOWN = tonumber(ARGV[2])

-- What is due within this time wakes workers at once; they look by themselves after it.
local SOON = 500000

local changed, due_soon = {}, {}

-- Tells watchers and workers what this script did.
local function announce()
  for id in pairs(changed) do redis.call('PUBLISH', ARGV[3], 'c' .. id) end
  for kind in pairs(due_soon) do redis.call('PUBLISH', ARGV[3], 'd' .. kind) end
end

local function as_table(flat)
  local entry = {}
  for i = 1, #flat, 2 do entry[flat[i]] = flat[i + 1] end
  return entry
end

-- What a start does not write: a field that is not there is as it was then. The last write was the first, too.
local FIRST = { v = '1', caller = '', rev = '1', int = '0', fence = '0' }

-- Takes the fields of an entry as Redis returns them apart; without `kind` it is damaged.
local function as_entry(flat)
  local entry = as_table(flat)
  entry.kind, entry.seq, entry.made = string.match(entry.s or '', '^(.+) (%d+) (%d+)$')
  for name, value in pairs(FIRST) do entry[name] = entry[name] or value end
  entry.upd = entry.upd or entry.made
  return entry
end

-- Reads an entry; nil when there is none. Its fields, all texts:
--   s: kind, seq (order of admission) and made (time of the first write), one field for what never changes
--   v version of the record · lane, caller, rid, digest: identity
--   rev revision · upd time of the last write · st state
--   fin when it ended by a cancel while it waited · can, canby, canrm the cancel · int '1' while an intent is open
--   q what the record says of its units: n, w, r:DAY:UNITS, c:DAY:UNITS, x (given back)
--   h units that it holds: day, how many, 1 once they are used, round of the day · wu its units in the waiting list
--   ln '1' from the place in line for the lane until the next commit that needs none
--   fence, own, exp: the work lease · due place in the due queue · wake due when given back · nb not due before
--   lc, lx tokens of the last commit and of the last cancel or reopening
local function load(id)
  local flat = redis.call('HGETALL', entry_key(id))
  if #flat == 0 then return nil end
  local entry = as_entry(flat)
  if not entry.kind then error('CORRUPT its entry is damaged') end
  return entry
end

-- Stops before anything is written when the record is not there or no JSON: nobody could read what comes of it.
local function check_record(id)
  local record = redis.call('GET', record_key(id))
  if not record then error('CORRUPT the record is missing') end
  if not pcall(cjson.decode, record) then error('CORRUPT the record is no JSON') end
end

-- Changes fields of an entry; `false` takes a field away.
local function write(id, entry, fields)
  local set, gone = {}, {}
  for name, value in pairs(fields) do
    if value == false then
      if entry[name] then gone[#gone + 1] = name end
      entry[name] = nil
    else
      if type(value) == 'number' then value = int(value) end
      if entry[name] ~= value then
        set[#set + 1] = name
        set[#set + 1] = value
        entry[name] = value
      end
    end
  end
  if #set > 0 then redis.call('HSET', entry_key(id), unpack(set)) end
  if #gone > 0 then redis.call('HDEL', entry_key(id), unpack(gone)) end
end

local function is_final(state)
  return state == 'SUCCEEDED' or state == 'PARTIALLY_SUCCEEDED' or state == 'FAILED' or state == 'CANCELLED'
end

local function is_too_new(entry) return tonumber(entry.v) > KNOWN end

local function is_leased(entry) return entry.own ~= nil and NOW < tonumber(entry.exp) end

-- Whether the lease is live and the newest.
local function is_held(entry, owner, fence)
  return entry.own == owner and entry.fence == fence and is_leased(entry)
end

-- Moves an operation to another place of the due queue, or with nil out of it.
local function move_due(id, entry, at)
  if at then
    redis.call('ZADD', due_key(entry.kind), int(at), id)
    if at <= NOW + SOON then due_soon[entry.kind] = true end
  else
    redis.call('ZREM', due_key(entry.kind), id)
  end
  write(id, entry, { due = at or false })
end

-- Makes an operation due now, or as soon as whoever works on it gives it back.
local function due_at_once(id, entry)
  if is_leased(entry) then
    write(id, entry, { wake = NOW })
  elseif not entry.due or tonumber(entry.due) > NOW then
    move_due(id, entry, NOW)
  end
end

-- Counts a change of the record and wakes its watchers.
local function note_change(id, entry)
  write(id, entry, { rev = tonumber(entry.rev) + 1, upd = NOW })
  changed[id] = true
end
