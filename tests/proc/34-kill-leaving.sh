#!/usr/bin/env bash
# The agent of a server that leaves is killed where it still has work: while its keys are copied,
# while they are drained, and when the new list is out and its purge is due.  Started again within
# its lease each time, it works on until the change is settled, and nothing is left behind.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=6000
LAB_RATE=300 # two thousand keys leave s2

lab_start 3
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 3000
lab_load fill
lab_load run
lab_conf 1 3 # neither s2 nor a2
lab_push_start "" 150
lab_kill_in 2 prepare
lab_agent_start 2
lab_kill_working 2 COPY
lab_agent_start 2
lab_kill_in 2 settle
lab_agent_start 2
lab_kill_working 2 DRAIN
lab_agent_start 2
lab_kill_in 2 steady 2
lab_agent_start 2

check "the change goes through" lab_push_wait
check "the cluster is settled under epoch 2" lab_settled 2
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect "$(lab_server_address 2)"
check "nothing is left on s2" equal "$(lab_inspected keys 'server (left)')" 0
check "misplaced keys: 0" equal "$(lab_inspected misplaced)" 0
check "reservations left: 0" equal "$(lab_inspected stubs)" 0
