-- Decides on a start: request seen before, units or place in the waiting list, record, due queue.
--
-- KEYS[2]   tag of the request's key
-- ARGV[4]   id                    ARGV[5]  lane            ARGV[6]  kind       ARGV[7]  caller
-- ARGV[8]   request id or empty   ARGV[9]  digest          ARGV[10] record     ARGV[11] '1' if an intent is open
-- ARGV[12]  units, 0 for none     ARGV[13] limit or empty  ARGV[14] offset     ARGV[15] refuse or queue
-- ARGV[16]  first due or empty    ARGV[17] version of the record
--
-- Returns new, existing or reused with the operation; spent with the picture; invalid.
-- Idempotent under the operation's id. Nothing is written before the decision is made.
local id, lane, kind, caller = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local request_id, digest = ARGV[8], ARGV[9]
local units, first_due = tonumber(ARGV[12]), tonumber(ARGV[16])

local known = load(id)
if known then
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
local lease_row = redis.call('HGET', lane_key(lane), 'seq')
local seq = tonumber(lease_row or '0') + 1
local position, earliest, is_today = 0, NOW, true
if units > 0 then
  if rule.limit and units > rule.limit then return { 'spent', picture(lane, rule) } end
  position, earliest, is_today = place(lane, rule, int(seq), units)
  if not is_today and ARGV[15] == 'refuse' then
    return { 'spent', picture(lane, rule) }
  end
end

local due = math.max(earliest, first_due or earliest)
local entry = { kind = kind, lane = lane }
redis.call('ZADD', ids_key(), 0, id)
move_due(id, entry, due)
redis.call('HSET', lane_key(lane), 'seq', int(seq))
redis.call('SET', record_key(id), ARGV[10])
redis.call('HSET', entry_key(id), 'kind', kind, 'lane', lane)
write(id, entry, {
  v = ARGV[17], caller = caller, rid = request_id ~= '' and request_id or false, digest = digest, seq = seq, rev = 1,
  made = NOW, upd = NOW, st = is_today and 'RUNNING' or 'WAITING_FOR_QUOTA', int = ARGV[11], q = 'n', fence = 0,
  nb = first_due or false,
})
if request_id ~= '' then redis.call('SET', request_key, TAG .. ':' .. id) end
if units > 0 then
  remember_rule(lane, rule)
  if is_today then
    reserve(id, entry, rule, units)
    write(id, entry, { q = shown_hold(load_hold(entry)) })
  else
    start_waiting(id, entry, units)
    write(id, entry, { q = 'w' })
  end
end
announce()
return { 'new', answer(id, entry, false) }
