-- Reads the quota of a lane.
--
-- ARGV[4]  lane   ARGV[5]  limit or empty   ARGV[6]  offset
return picture(ARGV[4], rule_of(ARGV[5], ARGV[6]))
