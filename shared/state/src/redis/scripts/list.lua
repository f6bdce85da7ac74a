-- Reads operations of one shard, newest first, that match.
--
-- ARGV[4]  id that all must be older than, or empty   ARGV[5]  most operations   ARGV[6]  most that are looked at
-- ARGV[7]  filter, JSON: kinds, states, cloud, account, region, caller; what is not there matches everything
--
-- Returns the id that was looked at last (empty when the shard is at its end), the operations, then those that were
-- skipped: id and why.
local most, look = tonumber(ARGV[5]), tonumber(ARGV[6])
local filter = cjson.decode(ARGV[7])

local function set_of(list)
  if not list then return nil end
  local set = {}
  for _, item in ipairs(list) do set[item] = true end
  return set
end

local kinds, states = set_of(filter.kinds), set_of(filter.states)

local function matches(entry)
  if kinds and not kinds[entry.kind] then return false end
  if states and not states[entry.st] then return false end
  if filter.caller and filter.caller ~= entry.caller then return false end
  if filter.cloud or filter.account or filter.region then
    local cloud, account, region = string.match(entry.lane, '^([^/]*)/([^/]*)/(.*)$')
    if filter.cloud and filter.cloud ~= cloud then return false end
    if filter.account and filter.account ~= account then return false end
    if filter.region and filter.region ~= region then return false end
  end
  return true
end

local from = ARGV[4] == '' and '+' or '(' .. ARGV[4]
local ids = redis.call('ZREVRANGEBYLEX', ids_key(), from, '-', 'LIMIT', 0, look)
local last, found, skipped = '', {}, {}
for i, id in ipairs(ids) do
  local flat = redis.pcall('HGETALL', entry_key(id))
  local problem = flat.err or (#flat == 0 and 'its entry is missing') or nil
  if not problem then
    local entry = as_entry(flat)
    if entry.kind and entry.st and entry.lane and entry.q then
      if matches(entry) then
        local record = redis.pcall('STRLEN', record_key(id))
        if type(record) == 'table' then problem = record.err else found[#found + 1] = answer(id, entry, true) end
      end
    else
      problem = 'its entry is damaged'
    end
  end
  if problem then
    skipped[#skipped + 1] = id
    skipped[#skipped + 1] = problem
  end
  if #found >= most or (i == #ids and #ids == look) then
    last = id
    break
  end
end
return { last, found, skipped }
