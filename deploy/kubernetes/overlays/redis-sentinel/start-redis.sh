#!/bin/sh
# Starts one Redis: a replica of the master that the Sentinels name. When none answers, which is so at the very first start,
# the pod with the number 0 is the master.
set -eu
me="$HOSTNAME.redis"
master=$(REDISCLI_AUTH= redis-cli -h sentinel -p 26379 --raw sentinel get-master-addr-by-name sampan 2>/dev/null | head -n 1 || true)
case "$master" in
  *.redis) ;;
  *) master=redis-0.redis ;;
esac
set -- --dir /data --requirepass "$PASSWORD" --masterauth "$PASSWORD" --replica-announce-ip "$me"
[ "$master" = "$me" ] || set -- "$@" --replicaof "$master" 6379
exec redis-server /etc/redis/redis.conf "$@"
