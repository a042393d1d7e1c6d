#!/usr/bin/env bash
# Stock clients that know nothing of phases beside those that do, through a whole change to one more
# server and back: they see no reservation, nothing that is older than the stated window allows, and
# nothing stale once it is over.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=3000
POLL_MS=500
STATED_MS=2500

unaware_start() {
	mkfifo "$LAB/unaware.in" "$LAB/unaware.out"
	python3 "$(dirname "$0")/../lab/unaware.py" "$BUILD/mcadmin" "$(lab_agent_socket 1)" $POLL_MS $KEYS 2 \
		<"$LAB/unaware.in" >"$LAB/unaware.out" 2>>"$LAB/unaware.log" &
	LAB_BESIDE+=($!)
	exec {UNAWARE_IN}>"$LAB/unaware.in" {UNAWARE_OUT}<"$LAB/unaware.out"
}

# unaware COMMAND: its answer is in LAB_ANSWER, for lab_load_number to read.
unaware() {
	LAB_ANSWER=
	printf '%s\n' "$1" >&"$UNAWARE_IN" || fail "the unaware clients have ended"
	IFS= read -r -t 120 -u "$UNAWARE_OUT" LAB_ANSWER || fail "the unaware clients do not answer to $1"
}

wrote() { unaware report && [ "$(lab_load_number writes)" -ge "$1" ]; }

zeros() {
	local name
	unaware report
	for name in stubs foreign early_stale late_stale ancient failed; do
		check "unaware clients: $name: 0" equal "$(lab_load_number $name)" 0
	done
}

# change EPOCH STRIKE HOST...: under the writes of both kinds of clients
change() {
	local epoch=$1 strike=$2 adopted
	shift 2
	unaware report
	adopted=$(lab_load_number adopted)
	lab_conf "$@"
	unaware begun
	lab_push_start ""
	$strike
	check "epoch $epoch settles" lab_push_wait
	unaware closed
	unaware report
	check "both unaware clients have taken the next list" equal "$(lab_load_number adopted)" $((adopted + 2))
	lab_until 60 wrote $(($(lab_load_number writes) + 1000)) || fail "the unaware clients do not write on"
	unaware verify
	zeros
	say "  $LAB_ANSWER"
	lab_load pause
	lab_load verify
	lab_load_not_stale
	lab_inspect_zeros
	lab_load run
	unaware go
}

LAB_DISTRIBUTION='distribution = "ketama"'
LAB_SETTINGS="unaware-clients = yes
unaware-poll = $STATED_MS"
lab_start 2
lab_server_start 3
lab_agent_start 3
"$BUILD/mcadmin" show --agent "$(lab_agent_socket 1)" >"$LAB/shown"
check "mcadmin shows it" grep -q "^unaware .* every $STATED_MS ms" "$LAB/shown"

unaware_start
unaware go
lab_until 60 wrote 5000 || fail "the unaware clients do not write"
lab_load_start 3000 "1 2 3" --readers 1 --writers 1 --rate 2000
lab_load fill
lab_load run

polls() { lab_wait_for clientsthatknownothingofphasestopoll; }
# Of the server that gains: it knows by its mark, or by none, what the copies are.
gaining_dies() {
	lab_kill_in 3 switch
	lab_agent_start 3
}

say "one more server"
change 2 polls 1 2 3
say "and back"
change 3 polls 1 2
say "once more, and its agent is killed in SWITCH"
change 4 gaining_dies 1 2 3
