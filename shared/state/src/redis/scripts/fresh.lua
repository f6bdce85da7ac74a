-- Begins the script of admissions: the usual start, before anything is defined that only the others need.
--
-- Usual is what was never seen, where nobody waits, and today has room and was used before. All else falls through to
-- `admit.lua`, which decides the same way and says what the arguments are; the keys are those of `prelude.lua`.
do
  local tag, id, lane, request_id = KEYS[1], ARGV[4], ARGV[5], ARGV[8]
  local units, first_due, limit = tonumber(ARGV[12]), tonumber(ARGV[16]), tonumber(ARGV[13])
  local lane_key, entry_key = tag .. ':lane:' .. lane, tag .. ':entry:' .. id
  local request_key = request_id ~= '' and KEYS[2] .. ':request:' .. request_id .. ':' .. ARGV[7]

  -- One look for the three keys that make a start an unusual one. Of a start without a request id, the entry is named
  -- twice.
  if redis.call('EXISTS', entry_key, tag .. ':wait:' .. lane, request_key or entry_key) == 0 then
    local int = function(number) return string.format('%.0f', number) end
    local time = ARGV[1]
    if time == '' then
      local clock = redis.call('TIME')
      time = clock[1] .. string.sub('00000' .. clock[2], -6)
    end
    local now = tonumber(time)
    local number = int(math.floor((now + tonumber(ARGV[14]) * 60000000) / 86400000000))
    local row = redis.call('HMGET', lane_key, 'seq', 'day:' .. number, 'limit', 'offset')
    local reserved, committed, spent, round = string.match(row[2] or '', '^(%d+),(%d+),(%d),(%d+)$')
    local holds = units > 0
    local has_room = spent == '0' and (not limit or reserved + committed + units <= limit)
    local is_same_rule = row[3] == ARGV[13] and row[4] == ARGV[14]
    if not holds or (has_room and is_same_rule) then
      local seq, due = int(tonumber(row[1] or '0') + 1), now
      if first_due and first_due > now then due = first_due end
      local due_text = due == now and time or int(due)
      local due_key = tag .. ':due:' .. ARGV[6]
      -- Where work is due already, the workers that are free were woken for it, and find this too.
      local wakes = due <= now + 500000 and redis.call('ZCOUNT', due_key, '-inf', time) == 0
      -- Keys that other operations share come first: should one be of another type, nothing is written.
      redis.call('ZADD', tag .. ':ids', 0, id)
      redis.call('ZADD', due_key, due_text, id)
      local word = 'n'
      if holds then
        local day = int(reserved + units) .. ',' .. committed .. ',0,' .. round
        redis.call('HSET', lane_key, 'seq', seq, 'day:' .. number, day)
        word = 'r:' .. number .. ':' .. ARGV[12]
      else
        redis.call('HSET', lane_key, 'seq', seq)
      end
      redis.call('SET', tag .. ':record:' .. id, ARGV[10])
      local fields = {
        's', ARGV[6] .. ' ' .. seq .. ' ' .. time, 'lane', lane, 'digest', ARGV[9], 'st', 'RUNNING', 'q', word,
        'due', due_text,
      }
      local count = #fields
      local function also(name, value)
        fields[count + 1], fields[count + 2] = name, value
        count = count + 2
      end
      if request_key then
        redis.call('SET', request_key, tag .. ':' .. id)
        also('rid', request_id)
      end
      if ARGV[17] ~= '1' then also('v', ARGV[17]) end
      if ARGV[11] ~= '0' then also('int', ARGV[11]) end
      if ARGV[7] ~= '' then also('caller', ARGV[7]) end
      if first_due then also('nb', int(first_due)) end
      if holds then also('h', number .. ':' .. ARGV[12] .. ':0:' .. round) end
      redis.call('HSET', entry_key, unpack(fields))
      if wakes then redis.call('PUBLISH', ARGV[3], 'd' .. ARGV[6]) end
      return { 'fresh', time, word }
    end
  end
end
