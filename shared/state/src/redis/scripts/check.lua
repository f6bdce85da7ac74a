-- Writes and reads the key of the check, and tells the time.
redis.call('SET', TAG .. ':check', int(NOW))
return redis.call('GET', TAG .. ':check')
