-- Gives a lane back, and wakes the first in line; only its owner can. The fence stays, so it never decreases.
--
-- ARGV[4]  lane   ARGV[5]  owner   ARGV[6]  fence
local key = lane_key(ARGV[4])
local held = redis.call('HMGET', key, 'owner', 'fence')
-- Should it be of another type, nothing is written.
redis.call('ZCARD', line_key(ARGV[4]))
if held[1] == ARGV[5] and held[2] == ARGV[6] then
  redis.call('HDEL', key, 'owner', 'exp')
  call_next(ARGV[4])
  announce()
end
return { 'ok' }
