-- Tells in which shard a request was heard of first; on a cluster, where its operation may lie in another slot.
--
-- KEYS[1]  tag of the request's own shard
-- ARGV[4]  request id   ARGV[5]  caller   ARGV[6]  tag of the shard that it is heard of in now
-- ARGV[7]  look: return the other shard, if there is one, else remember this one for an hour
--          take: remember this one for an hour; keep: remember it for good
--
-- Returns the tag of another shard, or an empty text. The request's key in its operation's shard is what counts: this
-- one only says where to look for it.
local key = TAG .. ':asked:' .. ARGV[4] .. ':' .. ARGV[5]
if ARGV[7] == 'keep' then
  redis.call('SET', key, ARGV[6])
  return ''
end
if ARGV[7] == 'look' then
  local known = redis.call('GET', key)
  if known and known ~= ARGV[6] then return known end
  if known then return '' end
end
redis.call('SET', key, ARGV[6], 'PX', 3600000)
return ''
