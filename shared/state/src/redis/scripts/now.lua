-- Tells the time.
return int(NOW)
