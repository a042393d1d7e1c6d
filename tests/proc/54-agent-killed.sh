#!/usr/bin/env bash
# An agent that is killed at any instant, again and again, beside four readers and while one change
# follows the other: no reader is told a mixture, and the cluster goes on.
# limit: 3600
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

# Another agent coordinates, so that changes get on while this one is dead.
LAB_COORDINATOR=2
lab_start 2
lab_agent_kill 1

# A change that moves nothing takes every phase all the same.
changes() {
	local i
	for ((i = 1; ; i++)); do
		[ ! -e "$LAB/enough" ] || [ ! -s "$LAB/changes" ] || return 0
		lab_conf 1 2
		sed -i "s/op-timeout = .*/op-timeout = $((200 + i % 50))/" "$LAB/cluster.conf"
		lab_change 2 600 || { tail -n 3 "$LAB/push.log" >&2; return 1; }
		printf '%s\n' "$i" >"$LAB/changes"
	done
}
changes &
beside=$!
LAB_BESIDE+=("$beside")
"$BUILD/tests/torn/agents" --segment "$(lab_segment 1)" --kills "${KILLS:-20}" --seed "${SEED:-1}" \
	-- "$BUILD/mcrosterd" -c "$LAB/1/agent.conf" >"$LAB/agents.log" 2>>"$LAB/1/agent.log"
status=$?
LAB_AGENT_PID[1]=$(sed -n 's/^pid //p' "$LAB/agents.log")
grep -v '^pid' "$LAB/agents.log"
[ "$status" = 0 ] || fail "$(grep -E 'FAILED|reader [0-9]' "$LAB/1/agent.log" | head -n 3)"
: >"$LAB/enough"
check "changes go through, to the last" wait "$beside"
say "  $(cat "$LAB/changes") changes; $(lab_shown 1)"
settled() { [ "$(lab_status settled)" = true ]; }
check "the cluster settles" lab_until 60 settled
