-- Gives the units of an operation back, and its place in the waiting list.
--
-- ARGV[4]  id   ARGV[5]  lane   ARGV[6]  limit or empty   ARGV[7]  offset
--
-- Returns ok; too_new; other_lane. An operation that is not there has nothing to give back.
local id = ARGV[4]
local entry = load(id)
if not entry then return { 'ok' } end
if is_too_new(entry) then return { 'too_new', entry.v } end
if entry.lane ~= ARGV[5] then return { 'other_lane', entry.lane } end
redis.call('ZCARD', wait_key(entry.lane))
local left = give_back(id, entry)
if left then
  note_quota(id, entry, left)
  wake_waiters(entry.lane, rule_of(ARGV[6], ARGV[7]))
end
announce()
return { 'ok' }
