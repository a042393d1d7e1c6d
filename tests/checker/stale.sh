# shellcheck shell=bash
# stale.sh - the stale checker on a lab of five hosts whose servers come and go: 3, 4, 5, 4, 3, ...
#
# Sourced by tests/checker/run and the scenarios.  All five agents stay, each with clients; who
# leaves is the server that has been there for longest, so every one of them gains and loses keys.

# shellcheck source=tests/lab/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lab.sh"

# What a host on a busy machine can hold.
LAB_LEASE_MS=5000 LAB_STEADY_LEASE_MS=10000 LAB_OP_TIMEOUT_MS=1000
LAB_LOADER=$BUILD/tests/checker/checker
STALE_HOSTS=5
STALE_SERVERS=(1 2 3) # listed now, the oldest first
STALE_AWAY=(4 5)
STALE_GROWING=true
STALE_EPOCH=1
STALE_RESIZES=0
STALE_RESIZES_MAX=${STALE_RESIZES_MAX:-12} # within which a planted fault shows

stale_conf() {
	local n hosts=("${STALE_SERVERS[@]}")
	for n in "${STALE_AWAY[@]}"; do hosts+=("a$n"); done
	lab_conf "${hosts[@]}"
}

# Five hosts under their first list, of three servers.
stale_lab() {
	local n
	lab_new
	for ((n = 1; n <= STALE_HOSTS; n++)); do
		lab_server_start "$n"
		lab_agent_start "$n"
	done
	lab_first_list "${STALE_SERVERS[@]}" "${STALE_AWAY[@]/#/a}"
}

# stale_checker KEYS [ARGUMENT...]: the checker at work on all hosts.
stale_checker() {
	local keys=$1
	shift
	lab_load_start "$keys" "$(seq -s ' ' $STALE_HOSTS)" "$@"
	lab_load fill
	lab_load run
}

# A server joins, or one leaves: the change begins; lab_push_wait waits for it.
stale_resize_start() {
	if [ ${#STALE_AWAY[@]} = 0 ]; then STALE_GROWING=false; fi
	if [ ${#STALE_SERVERS[@]} = 3 ]; then STALE_GROWING=true; fi
	if $STALE_GROWING; then
		STALE_SERVERS+=("${STALE_AWAY[0]}")
		STALE_AWAY=("${STALE_AWAY[@]:1}")
	else
		STALE_AWAY+=("${STALE_SERVERS[0]}")
		STALE_SERVERS=("${STALE_SERVERS[@]:1}")
	fi
	stale_conf
	lab_push_start "" 300
}

# stale_resize_wait: it has gone through, and every host says so.  A change that mcadmin has lost sight
# of goes on by itself.
stale_resize_wait() {
	lab_push_wait || say "the push of epoch $((STALE_EPOCH + 1)): $(tail -n 3 "$LAB/push.log")"
	STALE_EPOCH=$((STALE_EPOCH + 1))
	STALE_RESIZES=$((STALE_RESIZES + 1))
	lab_load "agree $STALE_EPOCH"
	[ "$LAB_ANSWER" = agreed ] || fail "settled under epoch $STALE_EPOCH: $LAB_ANSWER"
}

# stale_resize: one change, whole.
stale_resize() {
	stale_resize_start
	lab_until 300 lab_gone "$LAB_PUSH_PID" || fail "the resize to epoch $((STALE_EPOCH + 1)) does not end"
	stale_resize_wait
}

# The checker has seen something wrong, and rests since.
stale_violated() { [[ $(<"$LAB/load.log") == *VIOLATION* ]]; }

# Of the last report: was anything read wrongly?
stale_wrong() {
	local name
	for name in stale missed foreign; do
		[ "$(lab_load_number $name)" = 0 ] || return 0
	done
	return 1
}

# All at rest: every host and client of one mind, each key only at its owner, each read once more.
stale_rest() {
	local away=() n
	lab_load pause
	lab_load "agree $STALE_EPOCH"
	[ "$LAB_ANSWER" = agreed ] || fail "at rest under epoch $STALE_EPOCH: $LAB_ANSWER"
	for n in "${STALE_AWAY[@]}"; do away+=("$(lab_server_address "$n")"); done
	lab_inspect "${away[@]}"
	equal "$(lab_inspected misplaced)" 0 || fail "misplaced keys: $(cat "$LAB/inspect.txt")"
	equal "$(lab_inspected stubs)" 0 || fail "reservations left: $(cat "$LAB/inspect.txt")"
	equal "$(lab_inspected evictions)" 0 || fail "evictions: $(cat "$LAB/inspect.txt")"
	lab_load verify
}

# stale_caught FAULT KIND WHAT: a checker whose clients have the fault tells it as one of the kind
# ("stale", "stale|missed"), and ends with 1.  Such a client may write to a server that has left: what
# is there when it joins again is dropped.
stale_caught() {
	local resizes code LAB_WIPE=1000
	lab_load_stop
	: >"$LAB/load.log"
	stale_checker 20000 --readers 5 --writers 5 --rate 20000 --plant "$1"
	for ((resizes = 0; resizes < STALE_RESIZES_MAX; resizes++)); do
		stale_violated && break
		stale_resize
	done
	check "$3: seen" stale_violated
	sed -n '/VIOLATION/,+1s/^/    /p' "$LAB/load.log" | cut -c1-180
	check "it is told as $2" grep -Eq "VIOLATION: ($2):" "$LAB/load.log"
	check "with the key's last writes" grep -q 'end .* version' "$LAB/load.log"
	lab_load quit
	wait "$LAB_LOAD_PROCESS"
	code=$?
	LAB_LOAD_PROCESS=
	check "the checker ends with 1" equal "$code" 1
}
