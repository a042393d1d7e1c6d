# shellcheck shell=bash
# proxy.sh - proxies with mcroster's routes on the lab's hosts, and unmodified clients pointed at them.
#
# Sourced after lab.sh.  PROXY_REAL=1: a memcached with a proxy, which MEMCACHED_PROXY names; else the
# stand-in in plain Lua (tests/proxy/standin.lua), which answers one command after the other.

PROXY_MODULE=$BUILD/bindings/proxy
PROXY_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PROXY_PORT=11211
PROXY_REAL=${PROXY_REAL:-}
declare -A PROXY_PID=() PROXY_COUNTED=()
PROXY_CUT_OFF=0 # clients of proxies that were killed
THROUGH_CLIENTS=()

# A module with sanitizers in it runs in a program without them only when they come first.
PROXY_ENV=("LUA_PATH=$PROXY_TOP/bindings/proxy/?.lua;;"
	"LUA_CPATH=$PROXY_MODULE/?.so;$BUILD/tests/proxy/?.so;;")
proxy_preload=$(ldd "$PROXY_MODULE/mcroster.so" 2>/dev/null | sed -n 's/^.*=> \(.*lib[au][sb]*san[^ ]*\) .*/\1/p' | tr '\n' ' ')
[ -z "$proxy_preload" ] || PROXY_ENV+=("LD_PRELOAD=$proxy_preload" "ASAN_OPTIONS=detect_leaks=0")

proxy_address() { echo "$LAB_NET.$((100 + $1)):$PROXY_PORT"; }

# The three lines that an operator writes, on host N.
proxy_conf() {
	local more=
	[ -n "$PROXY_REAL" ] || more=", wait_ms = 0"
	sed "s|\"web\"|\"$(lab_segment "$1")\"$more|" "$PROXY_TOP/bindings/proxy/examples/proxy.lua" >"$LAB/$1/proxy.lua"
}

# proxy_talk N COMMAND: prints what it answers, up to a line that ends an answer.
proxy_talk() {
	local address line fd
	address=$(proxy_address "$1")
	exec {fd}<>"/dev/tcp/${address%:*}/${address#*:}" || return 1
	printf '%s\r\n' "$2" >&"$fd"
	while IFS= read -r -t 10 -u "$fd" line; do
		line=${line%$'\r'}
		printf '%s\n' "$line"
		case $line in STAT* | VALUE*) ;; *) break ;; esac
	done
	exec {fd}>&-
}

proxy_answers() { proxy_talk "$1" version 2>/dev/null | grep -q '^VERSION'; }

# proxy_start N: on host N, with what $LAB/N/proxy.lua says.
proxy_start() {
	local n=$1 user=()
	[ "$(id -u)" != 0 ] || user=(-u root)
	if [ -n "$PROXY_REAL" ]; then
		env "${PROXY_ENV[@]}" "$MEMCACHED_PROXY" -l "$LAB_NET.$((100 + n))" -p $PROXY_PORT -U 0 -m 64 -t 2 \
			"${user[@]}" -o "proxy_config=$LAB/$n/proxy.lua" >>"$LAB/$n/proxy.log" 2>&1 &
	else
		env "${PROXY_ENV[@]}" lua5.4 "$PROXY_TOP/tests/proxy/standin.lua" "$LAB/$n/proxy.lua" \
			"$LAB_NET.$((100 + n))" $PROXY_PORT >>"$LAB/$n/proxy.log" 2>&1 &
	fi
	PROXY_PID[$n]=$!
	LAB_BESIDE+=($!)
	lab_until "$LAB_WAIT_S" proxy_answers "$n" || fail "the proxy of host $n does not answer"
}

# What it counted is kept.
proxy_kill() {
	local name
	for name in invalidated failed; do
		PROXY_COUNTED[$name]=$((${PROXY_COUNTED[$name]:-0} + $(proxy_stat "$1" $name)))
	done
	PROXY_CUT_OFF=$((PROXY_CUT_OFF + $(printf '%s\n' "${THROUGH_CLIENTS[@]}" | grep -c "=$1\$")))
	kill -KILL "${PROXY_PID[$1]}"
	wait "${PROXY_PID[$1]}" 2>/dev/null
}

# proxy_stat N NAME: of its own statistics.
proxy_stat() {
	proxy_talk "$1" "stats proxy" | sed -n "s/^STAT user_mcroster_$2 \([0-9]*\)$/\1/p"
}

# proxy_count NAME: of all proxies, those that were killed too.
proxy_count() {
	local n sum=${PROXY_COUNTED[$1]:-0}
	for n in "${!PROXY_PID[@]}"; do sum=$((sum + $(proxy_stat "$n" "$1"))); done
	echo "$sum"
}

# through_start KEYS KIND=N|KIND=ADDRESS,ADDRESS,...: clients of these kinds at the proxies of these
# hosts, or with a list.
through_start() {
	local keys=$1 word clients=()
	shift
	THROUGH_CLIENTS=("$@")
	for word; do
		case $word in
		*,*) clients+=("$word") ;;
		*) clients+=("${word%=*}=$(proxy_address "${word#*=}")") ;;
		esac
	done
	mkfifo "$LAB/through.in" "$LAB/through.out"
	/usr/bin/python3 "$(dirname "${BASH_SOURCE[0]}")/through.py" "$keys" "${clients[@]}" \
		<"$LAB/through.in" >"$LAB/through.out" 2>>"$LAB/through.log" &
	LAB_BESIDE+=($!)
	exec {THROUGH_IN}>"$LAB/through.in" {THROUGH_OUT}<"$LAB/through.out"
}

# through COMMAND: its answer is in LAB_ANSWER, for lab_load_number to read.
through() {
	LAB_ANSWER=
	printf '%s\n' "$1" >&"$THROUGH_IN" || fail "the clients have ended"
	IFS= read -r -t 120 -u "$THROUGH_OUT" LAB_ANSWER || fail "the clients do not answer to $1"
}

through_wrote() { through report && [ "$(lab_load_number writes)" -ge "$1" ]; }

# The clients go on: so many writes more.
through_more() {
	through report
	lab_until 60 through_wrote $(($(lab_load_number writes) + $1)) || fail "the clients do not write"
}

# Nothing wrong was read, and nothing missed.  A write whose second step did not get through is made good by a delete of
# its key: only as many keys may be missed as the proxies say they deleted.  For a cas to find nothing it takes a mover
# that replaces the same key within the same millisecond: one in a change would be much.
through_zeros() {
	local name invalidated epoch
	invalidated=$(proxy_count invalidated)
	through report
	say "  $LAB_ANSWER"
	for name in stale foreign cas_wrong; do
		check "clients of the proxies: $name: 0" equal "$(lab_load_number $name)" 0
	done
	epoch=$(lab_status epoch 2>/dev/null)
	check "a cas that found nothing, in $((${epoch:-1} - 1)) changes" between 0 "$(lab_load_number cas_lost)" $((${epoch:-1} - 1))
	check "missed, of $invalidated writes that were made good" between 0 "$(lab_load_number missed)" "$invalidated"
}

# through_settle: at rest, when nothing is owed any more.
through_settle() {
	local n
	for n in "${!LAB_AGENT_PID[@]}"; do
		lab_until "$LAB_WAIT_S" through_owes_nothing "$n" || fail "a$n still owes something"
	done
	through settle
}
through_owes_nothing() { [ "$(lab_status "-$1" owed)" = 0 ]; }

# What became of a write is not known where its client was cut off, one write of each, or was told of a failure: it is of
# no other key.
through_doubts() {
	local most=$((PROXY_CUT_OFF + $(proxy_count failed)))
	through report
	check "writes in doubt, of $PROXY_CUT_OFF clients cut off and as many failures as proxies told" \
		between 0 "$(lab_load_number failed)" $most
}
