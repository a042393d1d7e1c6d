#!/usr/bin/env bash
# Another agent is to coordinate: the list that names it moves the register there, under load and
# with keys that move, and back.  PREPARE waits until every host reaches the successor; the one that
# has handed over is killed right after (it may be the only one that knows, and then says so when it is
# back), the one that takes over before it has begun.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"

KEYS=6000
LAB_RATE=300

# coordinates N EPOCH HOST...: it has begun, is settled, and the hosts hold its leases.
coordinates() {
	local n=$1 host
	[ "$(lab_status -"$n" view) $(lab_status -"$n" coordinator) $(lab_status -"$n" epoch) $(lab_status -"$n" settled)" = \
		"cluster a$n $2 true" ] || return 1
	shift 2
	for host in "$@"; do
		[ "$(lab_status -"$host" coordinator)" = "a$n" ] && lab_leased "$host" || return 1
	done
}
begins() { # N EPOCH HOST...
	lab_until 30 coordinates "$@" || fail "a$1 does not coordinate: $(lab_status_json "$1" | cut -c1-500)"
	LAB_COORDINATOR=$1
	term=$((term + 1))
	check "a$1 coordinates epoch $2" equal "$(lab_status -"$1" term)" $term
}
# The word is on its disk.
handed_over() { grep -q "^register: .*handed over to a$2" "$LAB/$1/agent.log"; }
heard() { [ "$(lab_status -"$1" coordinator)" = "a$2" ]; }
hearing() { [[ $(lab_status -"$1" waits_for) = amajorityofthelistedagents* ]]; }
knows() { # N: it has adopted the register as it is
	[[ $(lab_status_json "$LAB_COORDINATOR") = *"\"name\":\"a$1\",\"lease_ms_left\":"[0-9]*",\"adopted_term\":$(lab_status term),\"adopted_serial\":$(lab_status serial),"* ]]
}
term=1

lab_new
for n in 1 2 3; do
	lab_server_start "$n"
	lab_agent_start "$n"
done
lab_agent_start 5
lab_agent_start 6
lab_first_list 1 2 3 a5 a6
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 2000
lab_load fill
lab_load run

say "to a2, while s4 joins; a1 is killed as soon as it has handed over"
lab_server_start 4
lab_agent_start 4
LAB_COORDINATOR=2 lab_conf 1 2 3 4 a5 a6
lab_push_start 3 60
lab_until 60 handed_over 1 2 || fail "a1 does not hand over"
lab_agent_kill 1
lab_agent_start 1 # it may have died before it said so to anybody
begins 2 2 2 3 4 5 6
lab_push_wait
lab_until 20 coordinates 2 2 1 2 3 4 || fail "a1 does not come back as a host"
check "a1 is back, as a host" equal "$(lab_status -1 view)" cluster
lab_load_zeros

say "to a7, which nobody reaches yet"
lab_agent_conf 7
LAB_COORDINATOR=7 lab_conf 1 2 3 4 a5 a6 a7
lab_push_start 3 60
lab_wait_for agenta7
lab_ordered excuse a7
lab_wait_for "toreachthenextcoordinator,a7"
check "the change is still in PREPARE" equal "$(lab_status phase)" PREPARE
lab_agent_start 7
lab_wait_segment 7 copy
lab_wait_segment 1 steady 3
kill -STOP "${LAB_AGENT_PID[7]}"
check "it is there: the change goes through" lab_push_wait

say "a5 sleeps through the last word of a2, which then is gone"
lab_until 20 knows 5 || fail "a5 has not adopted the last step"
lab_agent_kill 5
check "a2 has not handed over yet" equal "$(lab_status settled) $(lab_status coordinator)" "true a2"
kill -CONT "${LAB_AGENT_PID[7]}"
lab_until 20 heard 1 7 || fail "a2 does not hand over"
lab_agent_kill 2
lab_agent_start 5
begins 7 3 1 3 4 5 6 7
lab_agent_start 2

say "back to a1; a majority is away, and a1 is killed before it has begun"
LAB_COORDINATOR=1 lab_conf 1 2 3 4 a5 a6 a7
lab_push_start 7 60
lab_kill_all_in steady 4 2 3 5 6
lab_until 30 handed_over 7 1 || fail "a7 does not hand over"
lab_until 20 hearing 1 || fail "a1 says $(lab_status -1 waits_for)"
lab_agent_kill 1
for n in 1 2 3; do lab_agent_start $n; done
begins 1 4 1 2 3 4 7
lab_push_wait
for n in 5 6; do lab_agent_start $n; done
lab_conf 1 3 4 a2 a5 a6
check "and carries the next change" lab_change "" 60
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros "$(lab_server_address 2)"
