#!/usr/bin/env bash
# The first list adopts a fleet that runs: no server is written to, scanned or even read, and no
# item loses its place, its expiry or its last access.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

touched() { # N: the counters that any look at an item would move
	lab_memcached "$1" stats | grep -E 'STAT (cmd_|get_|delete_|incr_|decr_|cas_|touch_|total_items|curr_items|bytes |lru_crawler_starts|evict|expired)' |
		grep -v cmd_meta_stats
}

lab_new
for n in 1 2 3; do
	lab_server_start "$n"
	for i in {1..60}; do
		lab_memcached "$n" "set item:$n:$i $i $((i % 3 * 1000)) 5" "val$((i % 10))x" >/dev/null
	done
	lab_memcached "$n" "set counter:$n 0 0 2" 41 >/dev/null
	lab_dump "$n" >"$LAB/$n.before"
	check "s$n holds items" equal "$(grep -c '^key=' "$LAB/$n.before")" 61
	touched "$n" >"$LAB/$n.counters"
	lab_agent_start "$n"
done
lab_first_list 1 2 3
check "the cluster is settled under epoch 1" lab_settled 1
check "mcadmin verify takes the list with the operator's key" \
	"$BUILD/mcadmin" verify "$LAB/list" --public "$LAB/operator.key.pub"
"$BUILD/mcadmin" keygen --no-passphrase -o "$LAB/stranger.key" >/dev/null
refused "mcadmin verify with another key" 3 signature \
	"$BUILD/mcadmin" verify "$LAB/list" --public "$LAB/stranger.key.pub"
for n in 1 2 3; do
	touched "$n" >"$LAB/$n.counters.after"
	check "s$n was not asked for anything" diff "$LAB/$n.counters" "$LAB/$n.counters.after"
	lab_dump "$n" >"$LAB/$n.after"
	check "s$n holds the same items with the same cas, expiry and last access" \
		diff "$LAB/$n.before" "$LAB/$n.after"
done
lab_load_start 5000 "1 2 3"
lab_load fill
lab_load verify
lab_load_zeros
check "every read found" equal "$(lab_load_number hits)" 5000
