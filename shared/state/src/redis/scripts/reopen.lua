-- Puts an ended operation back to work.
--
-- ARGV[4]  id   ARGV[5]  token of the call   ARGV[6]  revision that it must have   ARGV[7]  record
-- ARGV[8]  '1' if an intent is open          ARGV[9]  version of the record
--
-- Returns ok with the operation; missing; too_new; lost. Idempotent under the token.
local id = ARGV[4]
local entry = load(id)
if not entry then return { 'missing' } end
if is_too_new(entry) then return { 'too_new', entry.v } end
if entry.lx == ARGV[5] then return { 'ok', answer(id, entry, true) } end
if entry.rev ~= ARGV[6] or not is_final(entry.st) then return { 'lost' } end
check_record(id)

due_at_once(id, entry)
redis.call('SET', record_key(id), ARGV[7])
-- What it used is counted already; a new call needs a new unit.
write(id, entry, {
  v = ARGV[9], st = 'RUNNING', can = false, canby = false, canrm = false, fin = false, q = 'n', int = ARGV[8],
  lx = ARGV[5],
})
note_change(id, entry)
announce()
return { 'ok', answer(id, entry, false) }
