#!/usr/bin/env bash
# A host comes up after a boot, its segment gone, and nobody grants: its clients get the last list when
# boot-wait is over and not before; status shows that it is isolated, until the first grant.  Under
# `isolation bypass` boot-wait has no end: it is not ready before the coordinator's word.  The agent says
# that it is ready, to the service manager too, when its clients have the list.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

LAB_BOOT_WAIT_MS=5000

# not_ready [MS]: for so long.
not_ready() {
	! "$LAB_TOOLS/watch" --segment "$(lab_segment 2)" --timeout "${1:-1}" >/dev/null 2>&1
}

ready_said() { tail -n "+$((LOGGED + 1))" "$LAB/2/agent.log" | grep -q '^ready: '; }
not_said() { ! ready_said; }

# Host 2 boots, and the coordinator is not there.
boot() {
	LOGGED=$(wc -l <"$LAB/2/agent.log")
	lab_agent_kill 1
	lab_agent_kill 2
	rm "/dev/shm$(lab_segment 2)"
	lab_agent_start 2
}

lab_start 2
boot
check "its segment is not ready" not_ready
check "the agent does not say that it is" not_said
check "status shows that it is isolated" lab_isolated 2
lab_wait_segment 2 steady 1
check "it says so when its clients have the list" lab_until "$LAB_WAIT_S" ready_said
check "after boot-wait it shows the last list, isolated" lab_isolated 2
lab_agent_start 1
lab_until 20 lab_leased 2 || fail "a2 gets no lease"
say "  ok: with the first grant it is isolated no more"

LAB_ISOLATION=bypass
lab_conf 1 2
lab_change || fail "isolation bypass: $(tail -n 1 "$LAB/push.log")"
boot
check "under bypass its segment is not ready, long after boot-wait" not_ready $((2 * LAB_BOOT_WAIT_MS))
check "nor does the agent say so" not_said
check "status shows that it is isolated" lab_isolated 2
lab_agent_start 1
lab_wait_segment 2 steady 2
check "then it says so" lab_until "$LAB_WAIT_S" ready_said
lab_until 20 lab_leased 2 || fail "a2 gets no lease under bypass"
say "  ok: with the coordinator's word it is ready"
