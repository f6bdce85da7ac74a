-- Begins the script of admissions: the usual start, before anything is defined that only the others need.
--
-- Usual is what was never seen, where nobody waits, and today has room and was used before. All else falls through to
-- `admit.lua`, which decides the same way and says what the arguments are; the keys are those of `prelude.lua`.
do
  local tag, id, lane, request_id = KEYS[1], ARGV[4], ARGV[5], ARGV[8]
  local units, first_due = tonumber(ARGV[12]), tonumber(ARGV[16])
  local lane_key, entry_key = tag .. ':lane:' .. lane, tag .. ':entry:' .. id
  local request_key = request_id ~= '' and KEYS[2] .. ':request:' .. request_id .. ':' .. ARGV[7]

  local is_usual = redis.call('EXISTS', entry_key) == 0 and not (request_key and redis.call('GET', request_key))
  if is_usual then
    local int = function(number) return string.format('%.0f', number) end
    local now = tonumber(ARGV[1])
    if not now then
      local clock = redis.call('TIME')
      now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
    end
    local number = int(math.floor((now + tonumber(ARGV[14]) * 60000000) / 86400000000))
    local row = redis.call('HMGET', lane_key, 'seq', 'day:' .. number)
    local reserved, committed, spent, round = string.match(row[2] or '', '^(%d+),(%d+),(%d),(%d+)$')
    local holds = units > 0
    if holds then
      local limit = tonumber(ARGV[13])
      is_usual = spent == '0' and (not limit or reserved + committed + units <= limit)
        and redis.call('EXISTS', tag .. ':wait:' .. lane) == 0
    end
    if is_usual then
      local seq, time, due = int(tonumber(row[1] or '0') + 1), int(now), math.max(now, first_due or now)
      local due_key = tag .. ':due:' .. ARGV[6]
      local next_due = redis.call('ZRANGE', due_key, 0, 0, 'WITHSCORES')[2]
      -- Keys that other operations share come first: should one be of another type, nothing is written.
      redis.call('ZADD', tag .. ':ids', 0, id)
      redis.call('ZADD', due_key, int(due), id)
      if holds then
        local day = int(reserved + units) .. ',' .. committed .. ',0,' .. round
        redis.call('HSET', lane_key, 'seq', seq, 'limit', ARGV[13], 'offset', ARGV[14], 'day:' .. number, day)
      else
        redis.call('HSET', lane_key, 'seq', seq)
      end
      redis.call('SET', tag .. ':record:' .. id, ARGV[10])
      local word = holds and ('r:' .. number .. ':' .. ARGV[12]) or 'n'
      local fields = {
        'v', ARGV[17], 'kind', ARGV[6], 'lane', lane, 'caller', ARGV[7], 'digest', ARGV[9], 'seq', seq, 'rev', '1',
        'made', time, 'upd', time, 'st', 'RUNNING', 'int', ARGV[11], 'q', word, 'fence', '0', 'due', int(due),
      }
      local count = #fields
      if request_key then
        redis.call('SET', request_key, tag .. ':' .. id)
        fields[count + 1], fields[count + 2] = 'rid', request_id
        count = count + 2
      end
      if first_due then
        fields[count + 1], fields[count + 2] = 'nb', int(first_due)
        count = count + 2
      end
      if holds then
        fields[count + 1], fields[count + 2], fields[count + 3], fields[count + 4] = 'hday', number, 'hunits', ARGV[12]
        fields[count + 5], fields[count + 6], fields[count + 7], fields[count + 8] = 'hcom', '0', 'hround', round
      end
      redis.call('HSET', entry_key, unpack(fields))
      -- What is due within half a second wakes workers, as everywhere; but where work is due already, those that are
      -- free were woken for it and find this too.
      local is_awake = next_due and tonumber(next_due) <= now
      if due <= now + 500000 and not is_awake then redis.call('PUBLISH', ARGV[3], 'd' .. ARGV[6]) end
      return { 'fresh', time, word }
    end
  end
end
