#!/usr/bin/env bash
# The coordinator's agent is killed in each phase of a change and started again within its lease:
# the change goes through, and nothing is missed, stale or misplaced.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=12000
LAB_RATE=200

lab_start 3
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 3000
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
lab_conf 1 2 3 4
lab_push_start 2 150 # through another agent

for phase in prepare COPY switch settle DRAIN; do
	case $phase in
	COPY | DRAIN) lab_kill_working 1 $phase ;;
	*) lab_kill_in 1 $phase ;;
	esac
	lab_agent_start 1
done
lab_kill_in 1 steady 2
lab_agent_start 1

lab_until 60 lab_settled 2 || fail "the cluster does not settle"
say "  ok: the cluster is settled under epoch 2"
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect
check "misplaced keys: 0" equal "$(lab_inspected misplaced)" 0
check "reservations left: 0" equal "$(lab_inspected stubs)" 0
