#!/usr/bin/env bash
# Clients that are stopped in the middle of their operations while phases pass, and an agent that is
# stopped for a while within its lease: what was overtaken is made good, nothing is missed, stale, or
# written where nobody looks for it any more.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=8000
LAB_RATE=400

lab_start 3
lab_load_start $KEYS "1 2 3" --readers 8 --writers 40
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
lab_conf 1 2 3 4
lab_push_start "" 150

# The clients run for a moment in each phase and are stopped for longer than any of them may take.
stops=0 stopped_in=
while ! lab_gone "$LAB_PUSH_PID"; do
	kill -STOP "$LAB_LOAD_PROCESS"
	sleep 0.3
	kill -CONT "$LAB_LOAD_PROCESS"
	stops=$((stops + 1))
	if [ -z "$stopped_in" ] && [[ $(lab_shown 3) = COPY* ]]; then
		kill -STOP "${LAB_AGENT_PID[3]}"
		read -r stopped_in _ < <(lab_shown 3)
		sleep 0.6
		kill -CONT "${LAB_AGENT_PID[3]}"
	fi
	sleep 0.1
done
check "the change goes through" lab_push_wait
check "the clients were stopped many times" between 8 $stops 1000
check "agent a3 was stopped in COPY" equal "$stopped_in" COPY

# Stopped in COPY, they wake up when the change is settled: what they were about to send is for
# servers that own their keys no more.
for hosts in "1 2 3 a4" "1 2 3 4" "1 2 3 a4" "1 2 3 4"; do
	# shellcheck disable=SC2086 # one word for each host
	lab_conf $hosts
	lab_push_start "" 60
	lab_wait_segment 2 copy
	kill -STOP "$LAB_LOAD_PROCESS"
	check "a change goes through while all clients are stopped" lab_push_wait
	kill -CONT "$LAB_LOAD_PROCESS"
	sleep 0.3
done
lab_load pause
lab_load verify
lab_load_zeros
check "operations were overtaken by a new generation" between 1 "$(lab_load_number replanned)" 1000000
say "invalidated again after an overrun: $(lab_load_number invalidated)"
check "no operation is incomplete" equal "$(lab_load_number writes_incomplete)" 0
lab_inspect
check "misplaced keys: 0" equal "$(lab_inspected misplaced)" 0
