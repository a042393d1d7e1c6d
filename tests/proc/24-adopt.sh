#!/usr/bin/env bash
# A fleet whose clients place keys by libmemcached's KETAMA_WEIGHTED is adopted without moving one;
# it grows by that rule, and changes over to slots, both under load.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

ADOPTED=5000
KEYS=10000
LAB_RATE=3000
LAB_DISTRIBUTION='distribution = "ketama-weighted md5"'

found() { "$LAB_TOOLS/adopt" find $ADOPTED "$(lab_segment 1)" >"$LAB/found"; }

nothing_misplaced() {
	lab_load pause
	lab_inspect
	cat "$LAB/inspect.txt"
	check "misplaced keys: 0" equal "$(lab_inspected misplaced)" 0
	check "reservations left: 0" equal "$(lab_inspected stubs)" 0
	check "evictions: 0" equal "$(lab_inspected evictions)" 0
	lab_load_zeros
	check "every adopted key is found" found
}

lab_new
for n in 1 2 3; do lab_server_start "$n"; done
check "libmemcached stores $ADOPTED items" "$LAB_TOOLS/adopt" store $ADOPTED \
	"$(lab_server_address 1)" "$(lab_server_address 2)" "$(lab_server_address 3)"
for n in 1 2 3; do lab_agent_start "$n"; done
lab_first_list 1 2 3
check "every one is where libmcroster says" found
for n in 1 2 3; do
	check "s$n was written to by nobody else" equal "$(lab_server_stat "$n" cmd_set)" \
		"$(lab_server_stat "$n" curr_items)"
done
lab_inspect
check "misplaced keys: 0" equal "$(lab_inspected misplaced)" 0

say "s4 joins by the same rule"
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 4000
lab_load fill
lab_load run
lab_server_start 4
lab_agent_start 4
lab_conf 1 2 3 4
check "the change goes through" lab_change
check "plan says what slots would gain" grep -q '^with slots    max over mean 1.000' "$LAB/plan.log"
check "some of the keys moved" between 2500 "$(lab_status change_keys_moved)" 10000
nothing_misplaced

say "the fleet changes over to slots"
lab_load run
LAB_DISTRIBUTION=
lab_conf 1 2 3 4
check "the change goes through" lab_change
# Those that were written meanwhile are moved once more.
check "most of the keys moved" between 9000 "$(lab_status change_keys_moved)" 30000
nothing_misplaced
lab_load verify
lab_load_zeros
check "no operation failed but by a time-out" equal \
	"$(grep '^load: \(failed\|incomplete\)' "$LAB/load.log" | grep -vc TIMEOUT)" 0
check "reads ran while keys moved" between 1000 "$(lab_load_number reads_moving)" 100000000
check "writes ran while keys moved" between 500 "$(lab_load_number writes_moving)" 100000000
