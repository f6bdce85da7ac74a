-- Decides on a start: request seen before, units or place in the waiting list, record, due queue.
--
-- KEYS[2]   tag of the request's key
-- ARGV[4]   id                    ARGV[5]  lane            ARGV[6]  kind       ARGV[7]  caller
-- ARGV[8]   request id or empty   ARGV[9]  digest          ARGV[10] record     ARGV[11] '1' if an intent is open
-- ARGV[12]  units, 0 for none     ARGV[13] limit or empty  ARGV[14] offset     ARGV[15] refuse or queue
-- ARGV[16]  first due or empty    ARGV[17] version of the record
--
-- Returns fresh with the time and what the record says of its units, when it is new and runs; new, existing or reused
-- with the operation; spent with the picture; invalid.
-- Idempotent under the operation's id. Nothing is written before the decision is made. This is the script that runs most:
-- it reads and writes each key once, and `fresh.lua` before it decides the usual start.
local id, lane, kind, caller = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local request_id, digest = ARGV[8], ARGV[9]
local units, first_due = tonumber(ARGV[12]), tonumber(ARGV[16])

if redis.call('EXISTS', entry_key(id)) == 1 then
  local known = load(id)
  if known.digest ~= digest or known.caller ~= caller then return { 'invalid' } end
  return { 'new', answer(id, known, true) }
end

local request_key = TAGS[2] .. ':request:' .. request_id .. ':' .. caller
if request_id ~= '' then
  local started = redis.call('GET', request_key)
  if started then
    -- The first operation may be of another lane, in another shard.
    local own = TAG
    TAG = string.sub(started, 1, -38)
    local first_id = string.sub(started, -36)
    local first = load(first_id)
    if not first then error('CORRUPT the request ' .. request_id .. ' names an operation that is not there') end
    local found = answer(first_id, first, true)
    TAG = own
    return { first.digest == digest and 'existing' or 'reused', found }
  end
end

local rule = rule_of(ARGV[13], ARGV[14])
local limit, offset = ARGV[13], ARGV[14]
local number = day_of(rule, NOW)
local row = redis.call('HMGET', lane_key(lane), 'seq', 'limit', 'offset', 'day:' .. int(number))
local seq = tonumber(row[1] or '0') + 1
local day = parse_day(lane, number, row[4]) or { reserved = 0, committed = 0, spent = false, round = 0, is_new = true }
local earliest, is_today = NOW, true
if units > 0 then
  if rule.limit and units > rule.limit then return { 'spent', picture(lane, rule) } end
  if redis.call('EXISTS', wait_key(lane)) == 1 or not has_room(day, rule, units) then
    local position
    position, earliest, is_today = place(lane, rule, int(seq), units)
    if not is_today and ARGV[15] == 'refuse' then return { 'spent', picture(lane, rule) } end
  end
end
local due = math.max(earliest, first_due or earliest)

-- The keys that other operations share come first: should one be of another type, nothing is written.
redis.call('ZADD', ids_key(), 0, id)
redis.call('ZADD', due_key(kind), int(due), id)
if due <= NOW + SOON then due_soon[kind] = true end
local holds = units > 0 and is_today
local changes = { 'seq', int(seq) }
if units > 0 and (row[2] ~= limit or row[3] ~= offset) then
  changes[3], changes[4], changes[5], changes[6] = 'limit', limit, 'offset', offset
end
if holds then
  day.reserved = day.reserved + units
  if day.is_new then
    save_day(lane, number, day)
  else
    changes[#changes + 1] = 'day:' .. int(number)
    changes[#changes + 1] = format_day(day)
  end
end
redis.call('HSET', lane_key(lane), unpack(changes))
redis.call('SET', record_key(id), ARGV[10])
if request_id ~= '' then redis.call('SET', request_key, TAG .. ':' .. id) end

local time = int(NOW)
local word = holds and ('r:' .. int(number) .. ':' .. int(units)) or is_today and 'n' or 'w'
local fields = {
  's', kind .. ' ' .. int(seq) .. ' ' .. time, 'lane', lane, 'digest', digest,
  'st', is_today and 'RUNNING' or 'WAITING_FOR_QUOTA', 'q', word, 'due', int(due),
}
local function also(name, value)
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
if ARGV[17] ~= FIRST.v then also('v', ARGV[17]) end
if ARGV[11] ~= FIRST.int then also('int', ARGV[11]) end
if caller ~= FIRST.caller then also('caller', caller) end
if request_id ~= '' then also('rid', request_id) end
if first_due then also('nb', int(first_due)) end
if holds then also('h', format_hold({ day = number, units = units, round = day.round })) end
redis.call('HSET', entry_key(id), unpack(fields))
announce()
if is_today then return { 'fresh', time, word } end
local entry = as_entry(fields)
start_waiting(id, entry, units)
return { 'new', answer(id, entry, false) }
