#!/usr/bin/env bash
# Agents that stay away longer than their lease, with `isolation bypass`: their hosts' clients get no
# plans (counted apart), the change passes them by or waits for their work, and no read is stale.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=12000
LAB_RATE=200
LAB_ISOLATION=bypass

lab_new
for n in 1 2 3; do
	lab_server_start "$n"
	lab_agent_start "$n"
done
lab_agent_start 5 # an agent without a server: no change waits for work of its
lab_first_list 1 2 3 a5
lab_load_start $KEYS "1 2 3 5" --readers 4 --writers 4 --rate 3000
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
lab_conf 1 2 3 4 a5
lab_push_start "" 150

plans_refused() {
	lab_load report
	printf '%s\n' $(($(lab_load_number reads_refused) + $(lab_load_number writes_refused)))
}
more_refused() { [ "$(plans_refused)" -gt "$1" ]; }
none_refused_since() { # the host serves again when a second of load brings no new refusal
	local before
	before=$(plans_refused)
	sleep 1
	[ "$(plans_refused)" = "$before" ]
}

lab_wait_segment 5 copy
lab_agent_kill 5
say "agent a5 is away from COPY on"
lab_kill_working 2 COPY
say "agent a2 is away in COPY, longer than its lease"
lab_until 10 more_refused 0 || fail "nobody was refused"
before=$(plans_refused)
lab_until 10 more_refused $((before + 500)) || fail "clients of hosts without lease go on"
check "the change waits in COPY for a2's work" equal "$(lab_status phase)" COPY
lab_agent_start 2

check "the change goes through without a5" lab_push_wait
read -r phase _ epoch _ < <(lab_shown 5)
check "a5's host still shows COPY" equal "$phase $epoch" "COPY 1"
lab_agent_start 5
lab_wait_segment 5 steady 2
lab_until 20 none_refused_since || fail "plans are still refused when all agents are back"
say "  ok: all hosts serve again"
lab_load pause
lab_load verify
lab_load report
for name in stale foreign overdue; do
	check "$name reads: 0" equal "$(lab_load_number $name)" 0
done
say "plans refused: $(plans_refused), writes not completed: $(lab_load_number writes_incomplete), missed: $(lab_load_number missed)"
lab_inspect
check "misplaced keys: 0" equal "$(lab_inspected misplaced)" 0
