# shellcheck shell=bash
# hostile.sh - a lab in which host 4's memcached is reached through a program that does movers harm.
#
# Sourced after harm.sh.  What the program can do is told in tests/client/hostile.c.  Clients are passed
# through untouched.

HOSTILE_HOST=4

# The address in the list is the program's; memcached itself listens beside it.
harm_server_start() {
	[ "$1" = $HOSTILE_HOST ] || { lab_server_start "$1" && return; }
	LAB_SERVER_PORT=$((LAB_SERVER_PORT + 1)) lab_server_start $HOSTILE_HOST
	[ ! -p "$LAB/hostile.in" ] || return 0
	mkfifo "$LAB/hostile.in" "$LAB/hostile.out"
	exec {hostile_in}<>"$LAB/hostile.in" {hostile_out}<>"$LAB/hostile.out"
	"$LAB_TOOLS/hostile" "$LAB_NET.$HOSTILE_HOST:$((LAB_SERVER_PORT + 1))" \
		"$(lab_server_address $HOSTILE_HOST)" <"$LAB/hostile.in" >"$LAB/hostile.out" \
		2>>"$LAB/hostile.log" &
	LAB_BESIDE+=("$!")
	hostile_answer
}

hostile_answer() {
	IFS= read -r -t 20 -u "$hostile_out" HOSTILE_SAYS ||
		fail "hostile has ended: $(tail -n 1 "$LAB/hostile.log")"
}

# hostile COMMAND...: its answer is in HOSTILE_SAYS.
hostile() {
	printf '%s\n' "$*" >&"$hostile_in"
	hostile_answer
}

hostile_count() {
	hostile count
	printf '%s\n' "${HOSTILE_SAYS% *}"
}
hostile_over() {
	hostile count
	[ "${HOSTILE_SAYS#* }" = over ]
}

# The new owner loses what was copied to it; and a client is faster than the mover: when DRAIN comes to
# fill one key there, and to delete another, which may be older than what O holds, a client has just
# written it.
harm_mover_overtaken() {
	local key
	harm_server_restarted "$1"
	for key in filled deleted; do HARM_KEY[$key]=$(HARM_N=2 harm_key_moving "$key"); done
	hostile "overtake ms ${HARM_KEY[filled]} $(lab_server_address 2)"
	hostile "overtake md ${HARM_KEY[deleted]} $(lab_server_address 2)"
	check "a client is going to be faster" equal "$HOSTILE_SAYS" ok
	lab_memcached $HOSTILE_HOST "set ${HARM_KEY[deleted]} 0 0 5" older >/dev/null
	for key in filled deleted; do lab_memcached 2 "set ${HARM_KEY[$key]} 0 0 3" old >/dev/null; done
}
harm_mover_overtaken_checked() {
	local key
	hostile overtaken
	check "a client was faster than the mover" equal "$HOSTILE_SAYS" yes
	for key in filled deleted; do
		check "what it stored is there, the one that was to be $key" equal \
			"$(lab_memcached $HOSTILE_HOST "get ${HARM_KEY[$key]}" | sed -n 2p)" new
	done
}

# hostile_change [PHASE RULE]...: one change; in the phase, COPY or DRAIN, the rule is set, and what comes
# next waits until it has run out.  A RULE may also be a way in which the new owner is harmed.
hostile_change() {
	local before
	harm_change_begin
	while [ $# -ge 2 ]; do
		if declare -F "harm_$2" >/dev/null; then
			harm "$1" destination "$2"
			shift 2
			continue
		fi
		before=$(hostile_count)
		lab_wait_progress "${HARM_HOST[meter]}" "$1"
		hostile "$2"
		check "$2" equal "$HOSTILE_SAYS" ok
		lab_until 200 hostile_over || fail "$2: after $HOSTILE_SAYS"
		say "  harm in $1: host $HOSTILE_HOST: $2: $(($(hostile_count) - before)) times"
		shift 2
	done
	harm_change_end
}
