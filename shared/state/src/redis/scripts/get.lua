-- Reads one operation.
--
-- ARGV[4]  id
--
-- Returns ok with the operation; missing.
local id = ARGV[4]
local entry = load(id)
if not entry then return { 'missing' } end
return { 'ok', answer(id, entry, true) }
