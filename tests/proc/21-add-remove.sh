#!/usr/bin/env bash
# A server joins and another leaves under load: nothing is missed, stale, misplaced or left behind.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=20000
LAB_RATE=2000

nothing_misplaced() { # [ADDRESS of a server that left]
	lab_load pause
	lab_inspect "$@"
	cat "$LAB/inspect.txt"
	check "misplaced keys: 0" equal "$(lab_inspected misplaced)" 0
	check "reservations left: 0" equal "$(lab_inspected stubs)" 0
	check "evictions: 0" equal "$(lab_inspected evictions)" 0
}

lab_start 3
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 4000
lab_load fill
lab_load run

say "s4 joins"
lab_server_start 4
lab_agent_start 4
lab_conf 1 2 3 4
check "the change goes through" lab_change
check "25 % of the slots moved" equal "$(lab_status change_slots_moved)" 4096
check "about a quarter of the keys moved" between $((KEYS / 5)) "$(lab_status change_keys_moved)" $((KEYS * 3 / 10))
nothing_misplaced
check "s4 holds its share" between $((KEYS / 5)) "$(lab_inspected keys 'server s4 ')" $((KEYS * 3 / 10))
lab_load_zeros

say "s2 leaves, its agent with it"
lab_load run
lab_conf 1 3 4
check "the change goes through" lab_change
check "25 % of the slots moved" equal "$(lab_status change_slots_moved)" 4096
nothing_misplaced "$(lab_server_address 2)"
check "nothing is left on s2" equal "$(lab_inspected keys 'server (left)')" 0
lab_load verify
lab_load_zeros
# On a busy machine a server may take longer than op-timeout; that is not the change's doing.
say "operations that timed out: $(grep -c 'TIMEOUT' "$LAB/load.log")"
check "no operation failed for another reason" equal \
	"$(grep '^load: \(failed\|incomplete\)' "$LAB/load.log" | grep -vc TIMEOUT)" 0
check "reads ran while keys moved" between 1000 "$(lab_load_number reads_moving)" 100000000
check "writes ran while keys moved" between 500 "$(lab_load_number writes_moving)" 100000000
