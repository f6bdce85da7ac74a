-- Prolongs a live lane lease, with the same fence.
--
-- ARGV[4]  lane   ARGV[5]  owner   ARGV[6]  fence   ARGV[7]  lease in microseconds
--
-- Returns ok with the new end; lost.
local key = lane_key(ARGV[4])
local held = redis.call('HMGET', key, 'owner', 'exp', 'fence')
if held[1] ~= ARGV[5] or held[3] ~= ARGV[6] or NOW >= tonumber(held[2]) then return { 'lost' } end
local expires = int(NOW + tonumber(ARGV[7]))
redis.call('HSET', key, 'exp', expires)
return { 'ok', expires }
