#!/usr/bin/env bash
# A host comes up after a boot, its segment gone, and nobody grants: its clients get the last list when
# boot-wait is over and not before; status shows that it is isolated, until the first grant.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

LAB_BOOT_WAIT_MS=5000

not_ready() {
	! "$LAB_TOOLS/watch" --segment "$(lab_segment 2)" --timeout 1 >/dev/null 2>&1
}

lab_start 2
lab_agent_kill 1
lab_agent_kill 2
rm "/dev/shm$(lab_segment 2)"
lab_agent_start 2
check "its segment is not ready" not_ready
check "status shows that it is isolated" lab_isolated 2
lab_wait_segment 2 steady 1
check "after boot-wait it shows the last list, isolated" lab_isolated 2
lab_agent_start 1
lab_until 20 lab_leased 2 || fail "a2 gets no lease"
say "  ok: with the first grant it is isolated no more"
