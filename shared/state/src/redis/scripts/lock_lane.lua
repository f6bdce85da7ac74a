-- Grants a lane to an owner.
--
-- ARGV[4]  lane   ARGV[5]  owner   ARGV[6]  lease in microseconds
--
-- Returns ok with fence and end; held with the end of the other's lease. A repeat grants anew, with a higher fence.
local key = lane_key(ARGV[4])
local held = redis.call('HMGET', key, 'owner', 'exp', 'fence')
if held[1] and held[1] ~= ARGV[5] and NOW < tonumber(held[2]) then return { 'held', held[2] } end
local fence, expires = int(tonumber(held[3] or '0') + 1), int(NOW + tonumber(ARGV[6]))
redis.call('HSET', key, 'owner', ARGV[5], 'exp', expires, 'fence', fence)
return { 'ok', fence, expires }
