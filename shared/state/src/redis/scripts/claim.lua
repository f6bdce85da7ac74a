-- Claims due operations, longest due first.
--
-- KEYS      tags of the shards to look at
-- ARGV[4]   owner     ARGV[5]  most      ARGV[6]  lease in microseconds
-- ARGV[7]   token of the call            ARGV[8]  '1' when the call is repeated after a lost answer
-- ARGV[9…]  kinds
--
-- Returns the claimed operations, then those that were skipped: id and why.
-- Idempotent under the token for the seconds that its key lives.
local owner, most, ttl = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local token_key = KEYS[1] .. ':claim:' .. ARGV[7]
-- A repeat comes within this time, in milliseconds.
local TOKEN_LIFE = 10000
-- When an operation that cannot be read is tried again: a newer program may have taken over by then.
local AGAIN = 60000000

local claimed, skipped, given = {}, {}, {}

if ARGV[8] == '1' then
  for number, id in string.gmatch(redis.call('GET', token_key) or '', '(%d+):([^,]+),') do
    TAG = TAGS[tonumber(number)]
    local entry = load(id)
    if entry and entry.own == owner then claimed[#claimed + 1] = answer(id, entry, true) end
  end
  if #claimed > 0 then return { claimed, skipped } end
end

local function candidates(count)
  local found = {}
  for number, tag in ipairs(TAGS) do
    for i = 9, #ARGV do
      TAG = tag
      local due = redis.call('ZRANGEBYSCORE', due_key(ARGV[i]), '-inf', int(NOW), 'WITHSCORES', 'LIMIT', 0, count)
      for j = 1, #due, 2 do
        found[#found + 1] = { number = number, id = due[j], due = tonumber(due[j + 1]), kind = ARGV[i] }
      end
    end
  end
  table.sort(found, function(a, b)
    if a.due ~= b.due then return a.due < b.due end
    return a.id < b.id
  end)
  return found
end

-- Reads what is needed to work on an operation, or why that cannot be read.
local function readable(id)
  local flat = redis.pcall('HGETALL', entry_key(id))
  if flat.err then return nil, flat.err end
  if #flat == 0 then return nil, 'its entry is missing' end
  local entry = as_entry(flat)
  if not (entry.kind and entry.lane and entry.q) then return nil, 'its entry is damaged' end
  if is_too_new(entry) then return nil, 'its record has version ' .. entry.v end
  local record = redis.pcall('STRLEN', record_key(id))
  if type(record) == 'table' then return nil, record.err end
  if record == 0 then return nil, 'its record is missing' end
  return entry
end

while #claimed < most do
  local found = candidates(most - #claimed)
  if #found == 0 then break end
  for i = 1, math.min(#found, most - #claimed) do
    local candidate = found[i]
    local id = candidate.id
    TAG = TAGS[candidate.number]
    local entry, problem = readable(id)
    if entry then
      local expires = NOW + ttl
      write(id, entry, { fence = tonumber(entry.fence) + 1, own = owner, exp = expires, wake = false, nb = false })
      move_due(id, entry, expires)
      claimed[#claimed + 1] = answer(id, entry, true)
      given[#given + 1] = int(candidate.number) .. ':' .. id .. ','
    else
      -- It leaves the front of the queue, so every round gets further.
      redis.call('ZADD', due_key(candidate.kind), int(NOW + AGAIN), id)
      skipped[#skipped + 1] = id
      skipped[#skipped + 1] = problem
    end
  end
end

if #given > 0 then redis.call('SET', token_key, table.concat(given), 'PX', TOKEN_LIFE) end
return { claimed, skipped }
