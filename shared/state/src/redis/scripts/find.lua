-- Finds the shard of an operation.
--
-- KEYS      tags of the shards to look at
-- ARGV[4]   id
--
-- Returns the place of the tag in KEYS, counted from 1; 0 when no shard knows it.
for number, tag in ipairs(TAGS) do
  TAG = tag
  if redis.call('EXISTS', entry_key(ARGV[4])) == 1 then return number end
end
return 0
