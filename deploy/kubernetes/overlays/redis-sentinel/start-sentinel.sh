#!/bin/sh
# Starts one Sentinel. It writes what it learns into its own file, which outlives the container with the volume.
set -eu
file=/data/sentinel.conf
if [ ! -f "$file" ]; then
  cat >"$file" <<END
port 26379
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $HOSTNAME.redis
sentinel monitor sampan redis-0.redis 6379 2
sentinel auth-pass sampan $PASSWORD
sentinel down-after-milliseconds sampan 5000
sentinel failover-timeout sampan 30000
sentinel parallel-syncs sampan 1
END
fi
exec redis-server "$file" --sentinel
