-- Uses units of the lane's day at once, behind everybody who waits; counts nothing for a key that was counted today.
--
-- ARGV[4]  lane   ARGV[5]  limit or empty   ARGV[6]  offset   ARGV[7]  key   ARGV[8]  units
--
-- Returns ok with the day; spent with the picture.
local lane, units = ARGV[4], tonumber(ARGV[8])
local rule = rule_of(ARGV[5], ARGV[6])
local number = day_of(rule, NOW)
redis.call('ZCARD', wait_key(lane))
remember_rule(lane, rule)
local field = 'key:' .. int(number) .. ':' .. ARGV[7]
if redis.call('HEXISTS', lane_key(lane), field) == 1 then return { 'ok', int(number) } end
local _, _, is_today = place(lane, rule, '+inf', units)
if not is_today then return { 'spent', picture(lane, rule) } end
local day = load_day(lane, number)
day.committed = day.committed + units
save_day(lane, number, day)
redis.call('HSET', lane_key(lane), field, int(units))
wake_waiters(lane, rule)
announce()
return { 'ok', int(number) }
