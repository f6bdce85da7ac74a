-- Reads the operation that a request started in this shard.
--
-- ARGV[4]  request id   ARGV[5]  caller   ARGV[6]  digest
--
-- Returns existing or reused with the operation; missing.
local started = redis.call('GET', TAG .. ':request:' .. ARGV[4] .. ':' .. ARGV[5])
if not started then return { 'missing' } end
local id = string.sub(started, -36)
local entry = load(id)
if not entry then error('CORRUPT the request ' .. ARGV[4] .. ' names an operation that is not there') end
return { entry.digest == ARGV[6] and 'existing' or 'reused', answer(id, entry, true) }
