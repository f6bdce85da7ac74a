-- Writes the outcome of a step: fences, record, units, due queue, lease, watchers.
--
-- ARGV[4]   id                     ARGV[5]  owner              ARGV[6]  fence
-- ARGV[7]   token of the call      ARGV[8]  record             ARGV[9]  state
-- ARGV[10]  '1' if a cancel came too late                      ARGV[11] '1' if an intent is open
-- ARGV[12]  keep, due, line or end ARGV[13] lease, due time, or since when it waits for the lane, in microseconds
-- ARGV[14]  leave, commit, release, spent or requeue           ARGV[15] limit or empty   ARGV[16] offset
-- ARGV[17]  units of the operation ARGV[18] lane of the lane lease, or empty
-- ARGV[19]  its owner              ARGV[20] its fence          ARGV[21] version of the record
-- ARGV[22] when one in line is due at the latest, in microseconds, or empty
--
-- Returns ok with the operation; missing; too_new; lost; lane_lost; spent with the picture.
-- Idempotent under the token: a repeat after a lost answer finds it in the entry. Nothing is written before the last
-- refusal.
local id = ARGV[4]
local entry = load(id)
if not entry then return { 'missing' } end
if is_too_new(entry) then return { 'too_new', entry.v } end
if entry.lc == ARGV[7] then return { 'ok', answer(id, entry, true) } end
if not is_held(entry, ARGV[5], ARGV[6]) then return { 'lost' } end
if ARGV[18] ~= '' then
  local held = redis.call('HMGET', lane_key(ARGV[18]), 'owner', 'fence', 'exp')
  local is_live = held[3] and NOW < tonumber(held[3])
  if held[1] ~= ARGV[19] or held[2] ~= ARGV[20] or not is_live then return { 'lane_lost' } end
end
-- Reads every key once that is of another type if somebody meddled: before anything is written.
redis.call('STRLEN', record_key(id))
if ARGV[12] == 'line' or entry.ln then redis.call('ZCARD', line_key(entry.lane)) end
local has_ended, change = ARGV[12] == 'end', ARGV[14]
local rule = change ~= 'leave' and rule_of(ARGV[15], ARGV[16]) or nil
if change ~= 'leave' or has_ended then
  redis.call('ZCARD', wait_key(entry.lane))
  load_hold(entry)
end

local word = nil
if change == 'commit' then
  local hold = commit_hold(id, entry, rule)
  if not hold then return { 'spent', picture(entry.lane, rule) } end
  word = shown_hold(hold)
elseif change == 'release' then
  remember_rule(entry.lane, rule)
  word = give_back(id, entry)
elseif change == 'spent' or change == 'requeue' then
  local hold = load_hold(entry)
  local units = hold and hold.units or math.max(1, tonumber(ARGV[17]))
  word = give_back(id, entry)
  mark_spent(entry.lane, rule)
  -- A cancel needs no unit, and must not wait for the reset.
  if change == 'requeue' and not has_ended and not entry.can then word = turn(id, entry, rule, units) end
end
if has_ended then word = leave(id, entry) or word end

local state = ARGV[9]
if entry.can and ARGV[10] ~= '1' and (state == 'RUNNING' or state == 'WAITING_FOR_QUOTA') then state = 'CANCELLING' end
redis.call('SET', record_key(id), ARGV[8])
write(id, entry, { v = ARGV[21], st = state, int = ARGV[11], lc = ARGV[7], q = word or entry.q })
note_change(id, entry)

local value, was_in_line = tonumber(ARGV[13]), entry.ln
if was_in_line and ARGV[12] ~= 'line' then leave_line(id, entry) end
if ARGV[12] == 'keep' then
  write(id, entry, { exp = NOW + value })
  move_due(id, entry, NOW + value)
elseif ARGV[12] == 'due' then
  local due = value
  if entry.q == 'w' and (change == 'requeue') then
    local position, earliest = place(entry.lane, rule, entry.seq, tonumber(entry.wu))
    due = math.max(due, earliest)
  end
  if entry.wake then due = math.min(due, tonumber(entry.wake)) end
  write(id, entry, { own = false, exp = false, wake = false })
  move_due(id, entry, due)
elseif ARGV[12] == 'line' then
  local due = stand_in_line(id, entry, value)
  if ARGV[22] ~= '' then due = math.min(due, tonumber(ARGV[22])) end
  if entry.wake then due = math.min(due, tonumber(entry.wake)) end
  write(id, entry, { own = false, exp = false, wake = false })
  move_due(id, entry, due)
else
  write(id, entry, { own = false, exp = false, wake = false, nb = false })
  move_due(id, entry, nil)
end
-- Only now: the operation itself may stand in the list, and its lease must be seen as it is after the commit.
if change == 'release' or change == 'spent' or change == 'requeue' or has_ended then wake_by_last_rule(entry.lane) end
if was_in_line or ARGV[12] == 'line' then call_next(entry.lane) end
announce()
return { 'ok', answer(id, entry, false) }
