-- Gives a lane back; only its owner can. The fence stays, so it never decreases.
--
-- ARGV[4]  lane   ARGV[5]  owner   ARGV[6]  fence
local key = lane_key(ARGV[4])
local held = redis.call('HMGET', key, 'owner', 'fence')
if held[1] == ARGV[5] and held[2] == ARGV[6] then redis.call('HDEL', key, 'owner', 'exp') end
return { 'ok' }
