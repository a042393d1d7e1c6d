#!/usr/bin/env bash
# The pace of a running move is changed over the control socket, and each server's progress shows.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

LAB_RATE=20

works() { # AGENT PATTERN: a server's line of the agent's own status
	"$BUILD/mcadmin" status --agent "$(lab_agent_socket "$1")" --raw | grep -Eq -- "^server .* $2"
}
pace() { # AGENT ARGUMENT...
	local agent=$1
	shift
	"$BUILD/mcadmin" pace --agent "$(lab_agent_socket "$agent")" "$@"
}

nonsense() { # ARGUMENT...
	pace 1 "$@" >"$LAB/nonsense" 2>&1
	[ $? = 2 ] && grep -q "'$2' is n" "$LAB/nonsense"
}

lab_start 2
lab_load_start 4000 "1 2" --readers 1 --writers 1 --rate 200
lab_load fill

say "nonsense is refused"
check "a word" nonsense --keys fast
check "less than nothing" nonsense --bytes -1
check "more than anybody has" nonsense --keys 1000000000001
check "neither yes nor no" nonsense --adaptive maybe
refused "a remote agent's pace" 3 "control socket alone" "$BUILD/mcadmin" pace --keys 5 \
	--agent "$LAB_NET.2:$LAB_AGENT_PORT" --agent-key "$LAB/2/host.key.pub" --psk "$LAB/psk" \
	--cluster "$LAB_CLUSTER"

say "a move at 20 keys a second is let go"
lab_server_start 3
lab_agent_start 3
lab_conf 1 2 3
lab_push_start
lab_until 30 works 1 'phase=COPY work=running found=[1-9][0-9]* .* left=[1-9]' ||
	fail "s1's progress does not show"
"$BUILD/mcadmin" status --agent "$(lab_agent_socket 1)" >"$LAB/bars"
check "a bar shows it" grep -Eq '^  s1 [#.]{20} +[0-9.]+ %' "$LAB/bars"
check "the limit of s1 is lifted" pace 1 --keys 0
check "the limit of s2 is lifted" pace 2 --keys 0 --bytes 100000000 --adaptive no
check "the change goes through" lab_push_wait
lab_load verify
lab_load_zeros
