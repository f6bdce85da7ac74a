-- Keeps a cancel; an operation that waits for quota ends here.
--
-- ARGV[4]  id   ARGV[5]  token of the call   ARGV[6]  by whom   ARGV[7]  '1' if the result is to be removed
--
-- Returns ok or ended with the operation; missing; too_new. Idempotent under the token.
local id, token = ARGV[4], ARGV[5]
local entry = load(id)
if not entry then return { 'missing' } end
if is_too_new(entry) then return { 'too_new', entry.v } end
if entry.lx == token then return { 'ok', answer(id, entry, true) } end
if is_final(entry.st) then return { 'ended', answer(id, entry, true) } end
if entry.can and (ARGV[7] ~= '1' or entry.canrm == '1') then return { 'ok', answer(id, entry, true) } end
check_record(id)
redis.call('ZCARD', wait_key(entry.lane))
load_hold(entry)

if not entry.can then write(id, entry, { can = NOW, canby = ARGV[6] }) end
write(id, entry, { canrm = ARGV[7], lx = token })
-- Units that are committed, or a call whose outcome is open, are for the worker to settle.
if entry.st == 'WAITING_FOR_QUOTA' and entry.int ~= '1' and string.sub(entry.q, 1, 1) ~= 'c' then
  write(id, entry, { st = 'CANCELLED', fin = NOW, q = leave(id, entry) or entry.q })
  write(id, entry, { own = false, exp = false, wake = false, nb = false })
  move_due(id, entry, nil)
else
  write(id, entry, { st = 'CANCELLING' })
  if stop_waiting(id, entry) then write(id, entry, { q = 'n' }) end
  due_at_once(id, entry)
end
note_change(id, entry)
wake_by_last_rule(entry.lane)
announce()
return { 'ok', answer(id, entry, true) }
