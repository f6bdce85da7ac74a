-- Returns now and the earliest due time, or nothing when nothing is due ever.
--
-- KEYS      tags of the shards to look at
-- ARGV[4…]  kinds
local earliest = nil
for _, tag in ipairs(TAGS) do
  TAG = tag
  for i = 4, #ARGV do
    local first = redis.call('ZRANGE', due_key(ARGV[i]), 0, 0, 'WITHSCORES')
    if first[2] and (not earliest or tonumber(first[2]) < earliest) then earliest = tonumber(first[2]) end
  end
end
return { int(NOW), earliest and int(earliest) or '' }
