#!/usr/bin/env bash
# A new owner whose memory does not hold what it is to get: it evicts, it refuses everything, it refuses
# what is large.  What does not find room there is lost as a miss and counted, and holds nothing up.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/harm.sh
. "$(dirname "$0")/../../lab/harm.sh"

HARM_KEYS=12000 HARM_RATE=1000

# memory_row WHAT ARGUMENTS: of the new owner's memcached
memory_row() {
	say "$1: memcached $2"
	HARM_ARGUMENTS[4]=$2
	harm_fleet
	harm_change_begin
	HARM_N=2
	lab_wait_segment 1 prepare
	large=$(harm_key_moving large)
	lab_memcached 2 "set $large 0 0 600000" "$(printf '%600000s' x)" >/dev/null
	check "a large item is at its old owner" equal "$(lab_memcached 2 "mg $large s")" "HD s600000"
	lab_wait_segment 1 copy
	lab_load "evicts $(lab_server_address 4)"
	check "it may lose its keys, and no others are lost" [ "${LAB_ANSWER%% *}" = lossy ]
	harm_change_end
}
# As many as it has evicted itself, and as movers say that it refused or that they left out.
harm_bound() {
	HARM_MARKED=$(($(lab_server_stat 4 evictions) + $(lab_status change_keys_failed) + $(
		lab_status change_keys_cold)))
	HARM_BOUND="evicted, refused or left out"
}
counted_as_failed() { between 1 "$(lab_status change_keys_failed)" $HARM_KEYS; }

# Few classes of sizes, so that one is full soon.
memory_row "it evicts" "-f 8 -m 2"
check "evictions" between 1 "$(lab_server_stat 4 evictions)" 1000000
memory_row "it is out of memory" "-f 8 -m 2 -M"
check "items are counted as failed" counted_as_failed
memory_row "large items are too large for it" "-I 512k"
check "items are counted as failed" counted_as_failed
check "the large item is lost as a miss" equal "$(lab_memcached 4 "mg $large s") $(
	lab_memcached 2 "mg $large s")" "EN EN"
