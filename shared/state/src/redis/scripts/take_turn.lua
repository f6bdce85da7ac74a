-- Gives a waiting operation its units if it is its turn; else tells when.
--
-- ARGV[4]  id   ARGV[5]  lane   ARGV[6]  limit or empty   ARGV[7]  offset   ARGV[8]  units
--
-- Returns reserved with the day; waiting with position and earliest start; ended with the operation; missing;
-- too_new; other_lane.
local id = ARGV[4]
local entry = load(id)
if not entry then return { 'missing' } end
if is_too_new(entry) then return { 'too_new', entry.v } end
if entry.lane ~= ARGV[5] then return { 'other_lane', entry.lane } end
if not entry.due then return { 'ended', answer(id, entry, true) } end
redis.call('ZCARD', wait_key(entry.lane))
local rule = rule_of(ARGV[6], ARGV[7])
local word, position, earliest = turn(id, entry, rule, tonumber(ARGV[8]))
note_quota(id, entry, word)
if word == 'w' then
  wake_waiters(entry.lane, rule)
  announce()
  return { 'waiting', int(position), int(earliest) }
end
announce()
return { 'reserved', string.match(word, '^.:(%d+)') }
