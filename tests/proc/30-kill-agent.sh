#!/usr/bin/env bash
# An agent that does not coordinate is killed in each phase of a change and started again within
# its lease: the change goes through, and nothing is missed, stale or misplaced.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=12000
LAB_RATE=200 # a source has a thousand keys to move: COPY and DRAIN take seconds

lab_start 3
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 3000
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
lab_conf 1 2 3 4
lab_push_start "" 150

lab_kill_in 4 prepare # it gains keys: sanitising is its work
lab_agent_start 4
lab_kill_working 2 COPY
lab_agent_start 2
lab_kill_in 3 switch
lab_agent_start 3
lab_kill_in 2 settle
lab_agent_start 2
lab_kill_working 3 DRAIN
lab_agent_start 3
lab_kill_in 2 steady 2
lab_agent_start 2

check "the change goes through" lab_push_wait
check "the cluster is settled under epoch 2" lab_settled 2
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect
check "misplaced keys: 0" equal "$(lab_inspected misplaced)" 0
check "reservations left: 0" equal "$(lab_inspected stubs)" 0
