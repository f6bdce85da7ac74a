-- Marks the rest of the lane's day as used by somebody else.
--
-- ARGV[4]  lane   ARGV[5]  limit or empty   ARGV[6]  offset
local rule = rule_of(ARGV[5], ARGV[6])
redis.call('ZCARD', wait_key(ARGV[4]))
mark_spent(ARGV[4], rule)
wake_waiters(ARGV[4], rule)
announce()
return { 'ok' }
