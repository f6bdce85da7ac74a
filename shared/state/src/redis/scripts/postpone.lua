-- Gives back a claim whose record cannot be understood, to be tried again in a minute.
--
-- ARGV[4]  id   ARGV[5]  owner   ARGV[6]  fence
local id, entry = ARGV[4], load(ARGV[4])
if entry and is_held(entry, ARGV[5], ARGV[6]) then
  write(id, entry, { own = false, exp = false })
  move_due(id, entry, NOW + 60000000)
end
return { 'ok' }
