#!/usr/bin/env bash
# Registered clients: idle ones hold no phase up, one in the middle of an operation does for
# op-timeout and no longer; the agent's restart, client-quorum, a cap, and a thousand of them.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

# So long that a change in which each phase waited for it could be told from one in which none did.
LAB_OP_TIMEOUT_MS=4000 LAB_LEASE_MS=15000 LAB_STEADY_LEASE_MS=15000
LAB_COORDINATOR=2 # the agent under test is restarted
PHASES=6 # PREPARE, COPY, SWITCH, SETTLE, DRAIN, STEADY: each is published

declare -A HOLD_PID=()

# hold_start NAME ARGUMENT...: clients of host 1
hold_start() {
	local name=$1
	shift
	mkfifo "$LAB/hold.$name"
	"$LAB_TOOLS/hold" --segment "$(lab_segment 1)" "$@" <"$LAB/hold.$name" \
		>"$LAB/hold.$name.out" 2>"$LAB/hold.$name.log" &
	HOLD_PID[$name]=$!
	LAB_BESIDE+=("$!")
	# shellcheck disable=SC2034 # it keeps the input open
	exec {hold_input}>"$LAB/hold.$name"
	lab_until 60 grep -q ready "$LAB/hold.$name.out" ||
		fail "hold $name: $(cat "$LAB/hold.$name.log")"
}

hold_end() {
	kill "${HOLD_PID[$1]}"
	wait "${HOLD_PID[$1]}" 2>/dev/null
	rm "$LAB/hold.$1"
}

clients() {
	lab_status_json 1 | grep -oE '"name":"a1","lease[^}]*' |
		sed -n "s/.*\"clients_$1\":\([0-9]*\).*/\1/p"
}
clients_are() { [ "$(clients "$1")" = "$2" ]; }

# change_ms WHAT HOST...: carries out a change; its time is in $took
change_ms() {
	local what=$1 began
	shift
	lab_conf "$@"
	began=$(lab_now_ms)
	check "$what" lab_change
	took=$(($(lab_now_ms) - began))
	say "  it took $took ms, op-timeout is $LAB_OP_TIMEOUT_MS"
}

lab_start 2
lab_server_start 3
lab_agent_start 3

say "a thousand idle clients"
hold_start idle --count 1000
registered() { [ $(($(clients adopted) + $(clients idle))) = "$1" ]; }
check "all are registered" lab_until 10 registered 1000
change_ms "a change goes through beside them" 1 2 3
check "no phase waited for them" between 0 "$took" $((LAB_OP_TIMEOUT_MS * (PHASES - 2)))
check "they are idle" lab_until 10 clients_are idle 1000

say "the agent is killed and started again"
lab_agent_kill 1
lab_agent_start 1
hold_end idle
check "they are gone, and forgotten" lab_until 30 clients_are gone 0

say "a client is stopped in the middle of an operation"
hold_start stopped --operation
check "it is registered" lab_until 10 registered 1
lab_conf 1 2
began=$(lab_now_ms)
lab_push_start "" 120
check "it is waited for" lab_until 30 clients_are silent 1
check "the change goes through" lab_push_wait
took=$(($(lab_now_ms) - began))
say "  it took $took ms"
check "it held the change up for op-timeout, once" between "$LAB_OP_TIMEOUT_MS" "$took" \
	$((LAB_OP_TIMEOUT_MS * (PHASES - 2)))
hold_end stopped

say "a client that is killed in the middle of an operation"
hold_start killed --operation
lab_conf 1 2 3
lab_push_start "" 120
check "it is waited for" lab_until 30 clients_are silent 1
hold_end killed
check "it is gone" lab_until 10 clients_are gone 1
check "the change goes through" lab_push_wait

say "client-quorum"
LAB_SETTINGS='client-quorum = 100'
lab_conf 1 2 3
lab_change "" || fail "a list with a quorum"
hold_start answers --count 3 --answer
change_ms "all clients answer: a change goes through" 1 2
check "at once" between 0 "$took" $((LAB_OP_TIMEOUT_MS * (PHASES - 2)))
check "they have adopted it" clients_are adopted 3
hold_end answers

say "a cap for each user"
lab_agent_kill 1
echo 'clients-per-user = 5' >>"$LAB/1/agent.conf"
lab_agent_start 1
hold_start few --count 5
"$LAB_TOOLS/hold" --segment "$(lab_segment 1)" </dev/null >/dev/null 2>"$LAB/refused.hold"
check "the sixth is told why" grep -q 'as many clients, in all or of this user' "$LAB/refused.hold"
hold_end few
