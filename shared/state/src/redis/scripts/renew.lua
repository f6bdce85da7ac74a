-- Prolongs a live work lease.
--
-- ARGV[4]  id   ARGV[5]  owner   ARGV[6]  fence   ARGV[7]  lease in microseconds
--
-- Returns ok with the new end; missing; lost.
local id, entry = ARGV[4], load(ARGV[4])
if not entry then return { 'missing' } end
if not is_held(entry, ARGV[5], ARGV[6]) then return { 'lost' } end
local expires = NOW + tonumber(ARGV[7])
move_due(id, entry, expires)
write(id, entry, { exp = expires })
return { 'ok', int(expires) }
