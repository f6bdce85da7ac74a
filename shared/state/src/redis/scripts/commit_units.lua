-- Turns today's reservation of an operation into use for good.
--
-- ARGV[4]  id   ARGV[5]  lane   ARGV[6]  limit or empty   ARGV[7]  offset
--
-- Returns ok with the day; spent with the picture; missing; too_new; other_lane.
local id = ARGV[4]
local entry = load(id)
if not entry then return { 'missing' } end
if is_too_new(entry) then return { 'too_new', entry.v } end
if entry.lane ~= ARGV[5] then return { 'other_lane', entry.lane } end
local rule = rule_of(ARGV[6], ARGV[7])
local hold = commit_hold(id, entry, rule)
if not hold then return { 'spent', picture(entry.lane, rule) } end
note_quota(id, entry, shown_hold(hold))
announce()
return { 'ok', int(hold.day) }
