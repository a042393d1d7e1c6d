# shellcheck shell=bash
# lab.sh - a small cluster of real processes: memcacheds and agents on loopback addresses.
#
# Sourced by the demo and the process scenarios.  A lab has a directory, a network 127.x.y.0/24 and
# a name of its own, so several may run side by side.  Host number n has the address 127.x.y.n, a
# memcached (server sN), an agent (aN) with its state, keys and log in $LAB/n, and the segment
# /mcroster.<lab>.n.  Everything is ended by its process id and removed when the script exits, by
# whatever way; when it failed, the logs' ends are printed first.  LAB_KEEP=1 keeps the directory.
#
# BUILD names the directory with the binaries.  look.sh beside this file watches, loads and inspects.

set -u
BUILD=$(cd "${BUILD:?BUILD must name the directory with the binaries}" && pwd) || exit 1
LAB_TOOLS=${LAB_TOOLS:-$BUILD/tests/client}
LAB_SERVER_PORT=21211
LAB_AGENT_PORT=21280
LAB_WAIT_S=${LAB_WAIT_S:-20} # for what takes a moment; a change has its own
LAB_MEMORY=${LAB_MEMORY:-512}

LAB=          # the directory
LAB_ID=       # x-y
LAB_NET=      # 127.x.y
LAB_CLUSTER=lab
LAB_RATE=0    # rate-keys of agents that are started from now on
LAB_COORDINATOR=1
LAB_CANDIDATES= # "1 2 3": who may coordinate; by default LAB_COORDINATOR alone
LAB_SETTINGS= # further lines of cluster.conf
LAB_DISTRIBUTION= # its line for another one than slots
LAB_BESIDE=() # processes beside the lab's own, to be ended with it
LAB_OPERATORS=(operator) # whose keys hosts trust by their agent.conf
LAB_THRESHOLD=1
LAB_SIGNERS=() # who sign lists and orders; by default the first LAB_THRESHOLD operators
declare -A LAB_SERVER_PID=() LAB_AGENT_PID=()
declare -A LAB_AGENT_OF=() # of a server without an agent of its own: the number of its agent
declare -A LAB_LOGIN=()    # of a server: "USER PASSWORD", for tests and their clients
declare -A LAB_DAEMON=()   # of a host: another mcrosterd than BUILD's, for the next start
declare -A LAB_PLAIN=()    # of a server that speaks TLS: the port at which it speaks plainly too
LAB_V6= # all hosts on ::1, told apart by their ports: the first of a hundred
LAB_PUSH_PID=

# shellcheck source=tests/lab/look.sh
. "$(dirname "${BASH_SOURCE[0]}")/look.sh"

# ---- saying and failing ----

say() { printf '%s\n' "$*"; }

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	exit 1
}

# check WHAT COMMAND...: the command succeeds, or the scenario has failed.
check() {
	local what=$1
	shift
	if "$@"; then
		say "  ok: $what"
	else
		fail "$what"
	fi
}

# refused WHAT CODE PATTERN COMMAND...: it exits with CODE (or any but 0, for "-") and says why in one
# sentence, which the pattern is part of.
refused() {
	local what=$1 code=$2 pattern=$3 pid status
	shift 3
	"$@" >"$LAB/refused.out" 2>"$LAB/refused.err" </dev/null &
	pid=$!
	if ! lab_until 60 lab_gone "$pid"; then
		lab_end "$pid"
		fail "$what: it is not refused, it runs"
	fi
	wait "$pid"
	status=$?
	if [ "$code" = - ] && [ "$status" = 0 ] || [ "$code" != - ] && [ "$status" != "$code" ]; then
		cat "$LAB/refused.out" "$LAB/refused.err" >&2
		fail "$what: exit code $status, expected ${code/#-/any but 0}"
	fi
	if [ "$(wc -l <"$LAB/refused.err")" != 1 ] || ! grep -Eq -- "$pattern" "$LAB/refused.err"; then
		cat "$LAB/refused.err" >&2
		fail "$what: expected one line with: $pattern"
	fi
	say "  ok: $what: $(cut -c1-200 "$LAB/refused.err")"
}

equal() {
	[ "$1" = "$2" ] && return 0
	printf '  found %s, expected %s\n' "$1" "$2" >&2
	return 1
}

# between LOW VALUE HIGH, whole numbers
between() {
	[ "$1" -le "$2" ] && [ "$2" -le "$3" ] && return 0
	printf '  found %s, expected %s to %s\n' "$2" "$1" "$3" >&2
	return 1
}

lab_now_ms() {
	local up
	read -r up _ </proc/uptime
	printf '%s\n' $((10#${up%.*} * 1000 + 10#${up#*.} * 10))
}

# lab_until SECONDS COMMAND...: runs the command until it succeeds.
lab_until() {
	local end=$(($(lab_now_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(lab_now_ms)" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# ---- the lab itself ----

lab_new() {
	local base=${TMPDIR:-/tmp} x y tries
	for tries in 1 2 3 4 5 6 7 8 9 10 11 12; do
		x=$((RANDOM % 120 + 10)) y=$((RANDOM % 254 + 1))
		# mkdir is what makes the numbers ours.
		if mkdir -m 0700 "$base/mcroster-lab.$x-$y" 2>/dev/null; then
			LAB=$base/mcroster-lab.$x-$y
			break
		fi
	done
	[ -n "$LAB" ] || fail "no directory for the lab in $base after $tries tries"
	LAB_ID=$x-$y
	LAB_NET=127.$x.$y
	trap 'lab_exit $?' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	local name
	for name in "${LAB_OPERATORS[@]}"; do lab_operator "$name"; done
	"$BUILD/mcadmin" keygen --psk -o "$LAB/psk" >/dev/null || fail "mcadmin keygen --psk"
}

# lab_operator NAME: a key pair in $LAB/NAME.key
lab_operator() { "$BUILD/mcadmin" keygen --no-passphrase -o "$LAB/$1.key" >/dev/null || fail "mcadmin keygen"; }

lab_exit() {
	local code=$1
	trap - EXIT INT TERM
	[ "$code" = 0 ] || lab_logs >&2
	lab_stop
	exit "$code"
}

lab_logs() {
	local log
	for log in "$LAB"/*/agent.log "$LAB"/*/server.log "$LAB"/*.log; do
		[ -s "$log" ] || continue
		printf -- '--- %s\n' "${log#"$LAB"/}"
		tail -n "${LAB_LOG_LINES:-25}" "$log"
	done
}

lab_stop() {
	local pid n
	[ -n "$LAB" ] || return 0
	lab_load_stop
	[ -z "$LAB_PUSH_PID" ] || lab_end "$LAB_PUSH_PID"
	for n in "${!LAB_AGENT_PID[@]}"; do lab_end "${LAB_AGENT_PID[$n]}"; done
	for n in "${!LAB_SERVER_PID[@]}"; do lab_end "${LAB_SERVER_PID[$n]}"; done
	for pid in "${LAB_BESIDE[@]}"; do lab_end "$pid"; done
	LAB_AGENT_PID=() LAB_SERVER_PID=() LAB_PUSH_PID= LAB_BESIDE=()
	rm -f /dev/shm/mcroster."$LAB_ID".*
	if [ -n "${LAB_KEEP:-}" ]; then
		say "kept: $LAB"
	else
		rm -rf "$LAB"
	fi
	LAB=
}

# Ends one of our processes: asked first, then made to.
lab_end() {
	local pid=$1
	kill -CONT "$pid" 2>/dev/null
	kill -TERM "$pid" 2>/dev/null
	lab_until 5 lab_gone "$pid" || kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	return 0
}

# A child that has ended stays a zombie until it is waited for.
lab_gone() {
	local state
	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[ -z "$state" ] || [ "$state" = Z ]
}

# lab_prefix N: in LAB_PREFIX the words before a command that is to run on host N: here none.
lab_prefix() { LAB_PREFIX=(); }

# ---- memcached ----

lab_ip() { if [ -n "$LAB_V6" ]; then echo ::1; else echo "$LAB_NET.$1"; fi; }
lab_server_port() { echo $((LAB_V6 ? LAB_V6 + $1 : LAB_SERVER_PORT)); }
lab_agent_port() { echo $((LAB_V6 ? LAB_V6 + 50 + $1 : LAB_AGENT_PORT)); }
lab_address() { # N PORT
	if [ -n "$LAB_V6" ]; then echo "[::1]:$2"; else echo "$LAB_NET.$1:$2"; fi
}
lab_server_address() { lab_address "$1" "$(lab_server_port "$1")"; }

# lab_server_start N [ARGUMENT...]
lab_server_start() {
	local n=$1
	shift
	local user=()
	[ "$(id -u)" != 0 ] || user=(-u root)
	mkdir -p "$LAB/$n"
	lab_prefix "$n"
	"${LAB_PREFIX[@]}" memcached -l "$(lab_ip "$n")" -p "$(lab_server_port "$n")" -U 0 -m "$LAB_MEMORY" -t 2 -c 1024 \
		"${user[@]}" "$@" >>"$LAB/$n/server.log" 2>&1 &
	LAB_SERVER_PID[$n]=$!
	lab_until "$LAB_WAIT_S" lab_server_answers "$n" ||
		fail "memcached at $(lab_server_address "$n") does not answer"
}

lab_server_answers() { lab_memcached "$1" version >/dev/null 2>&1; }

lab_server_kill() {
	kill -KILL "${LAB_SERVER_PID[$1]}"
	wait "${LAB_SERVER_PID[$1]}" 2>/dev/null
	unset "LAB_SERVER_PID[$1]"
}
lab_server_stop() { kill -STOP "${LAB_SERVER_PID[$1]}"; }
lab_server_cont() { kill -CONT "${LAB_SERVER_PID[$1]}"; }

# lab_ways: the arguments of load and inspect that say how servers are spoken to, in LAB_WAYS.
lab_ways() {
	local n
	LAB_WAYS=()
	for n in "${!LAB_LOGIN[@]}"; do
		LAB_WAYS+=(--way "$(lab_server_address "$n") login ${LAB_LOGIN[$n]}")
	done
	for n in "${!LAB_PLAIN[@]}"; do
		LAB_WAYS+=(--way "$(lab_server_address "$n") port ${LAB_PLAIN[$n]}")
	done
}

# lab_memcached N COMMAND [LINE]: prints what it answers, up to a line that ends an answer.
lab_memcached() {
	local n=$1 line
	shift
	exec {lab_fd}<>"/dev/tcp/$(lab_ip "$n")/${LAB_PLAIN[$n]:-$(lab_server_port "$n")}" || return 1
	if [ -n "${LAB_LOGIN[$n]:-}" ]; then
		printf 'set login 0 0 %s\r\n%s\r\n' ${#LAB_LOGIN[$n]} "${LAB_LOGIN[$n]}" >&"$lab_fd"
		IFS= read -r -t 10 -u "$lab_fd" line
	fi
	printf '%s\r\n' "$@" >&"$lab_fd"
	while IFS= read -r -t 10 -u "$lab_fd" line; do
		line=${line%$'\r'}
		printf '%s\n' "$line"
		case $line in
		END | STORED | NOT_STORED | DELETED | NOT_FOUND | OK | VERSION* | ERROR* | CLIENT_ERROR* | \
			SERVER_ERROR* | BUSY* | HD* | EN | NF | NS | EX)
			exec {lab_fd}>&-
			return 0
			;;
		esac
	done
	exec {lab_fd}>&-
	return 1
}

# lab_strew N COUNT: keys on this server, most of which belong to others: PURGE has work where keys leave.
lab_strew() {
	local i lines=()
	for ((i = 1; i <= $2; i++)); do lines+=("set strewn-$i 0 0 1 noreply" x); done
	lab_memcached "$1" "${lines[@]}" version >/dev/null
}

# All keys of a server with their expiry, last access, cas and size, sorted.
lab_dump() { lab_memcached "$1" 'lru_crawler metadump hash' | sort; }

lab_server_stat() { lab_memcached "$1" stats | sed -n "s/^STAT $2 //p"; }

# ---- agents ----

lab_segment() { printf '/mcroster.%s.%s\n' "$LAB_ID" "$1"; }
lab_agent_socket() { printf '%s/%s/control\n' "$LAB" "$1"; }

# lab_agent_conf N: keys and agent.conf of a host.
lab_agent_conf() {
	local n=$1 name trusted=
	for name in "${LAB_OPERATORS[@]}"; do
		trusted+="${trusted:+, }\"$(lab_public "$LAB/$name.key")\""
	done
	mkdir -p "$LAB/$n"
	[ -f "$LAB/$n/host.key" ] || "$BUILD/mcadmin" hostkey -o "$LAB/$n/host.key" >/dev/null ||
		fail "mcadmin hostkey"
	cat >"$LAB/$n/agent.conf" <<-END
		cluster = "$LAB_CLUSTER"
		name = "a$n"
		listen = "$(lab_address "$n" "$(lab_agent_port "$n")")"
		state-directory = "$LAB/$n/state"
		control-socket = "$(lab_agent_socket "$n")"
		clients-socket = "$LAB/$n/clients"
		segment = "$(lab_segment "$n")"
		host-key = "$LAB/$n/host.key"
		psk = "$LAB/psk"
		trusted-keys = { $trusted }
		threshold = $LAB_THRESHOLD
		rate-keys = $LAB_RATE
		boot-wait = ${LAB_BOOT_WAIT_MS:-30000}
	END
}

lab_public() { head -n 1 "$1.pub"; }

# Starts an agent and returns at once.
lab_agent_spawn() {
	local n=$1
	lab_prefix "$n"
	"${LAB_PREFIX[@]}" "${LAB_DAEMON[$n]:-$BUILD/mcrosterd}" -c "$LAB/$n/agent.conf" >>"$LAB/$n/agent.log" 2>&1 &
	LAB_AGENT_PID[$n]=$!
}

lab_agent_start() {
	[ -f "$LAB/$1/agent.conf" ] || lab_agent_conf "$1"
	lab_agent_spawn "$1"
	lab_until "$LAB_WAIT_S" lab_agent_answers "$1" || fail "agent a$1 does not answer"
}

lab_agent_answers() {
	lab_gone "${LAB_AGENT_PID[$1]}" && fail "agent a$1 has ended: $(tail -n 1 "$LAB/$1/agent.log")"
	"$BUILD/mcadmin" status --agent "$(lab_agent_socket "$1")" >/dev/null 2>&1
}

lab_agent_kill() {
	kill -KILL "${LAB_AGENT_PID[$1]}" 2>/dev/null
	lab_agent_reap "$1"
}

# For an agent that somebody else has killed.
lab_agent_reap() {
	wait "${LAB_AGENT_PID[$1]}" 2>/dev/null
	unset "LAB_AGENT_PID[$1]"
}

# Asks it to stop; returns its exit code.
lab_agent_term() {
	local code
	kill -TERM "${LAB_AGENT_PID[$1]}"
	lab_until "$LAB_WAIT_S" lab_gone "${LAB_AGENT_PID[$1]}" || fail "agent a$1 ignores SIGTERM"
	wait "${LAB_AGENT_PID[$1]}"
	code=$?
	unset "LAB_AGENT_PID[$1]"
	return "$code"
}

# ---- lists and changes ----

# lab_conf N...: cluster.conf with these hosts, each with its agent and its server; "aN" is an agent
# alone.  LAB_SETTINGS holds further lines; LAB_WEIGHT[N] and LAB_LABEL[N] are a server's,
# LAB_WIPE is how many items each may drop when it joins.
lab_conf() {
	local n candidates
	printf -v candidates '"a%s", ' ${LAB_CANDIDATES:-$LAB_COORDINATOR}
	{
		cat <<-END
			cluster = "$LAB_CLUSTER"
			${LAB_DISTRIBUTION:-slots = ${LAB_SLOTS:-16384}}
			lease = ${LAB_LEASE_MS:-1000}
			steady-lease = ${LAB_STEADY_LEASE_MS:-2000}
			op-timeout = ${LAB_OP_TIMEOUT_MS:-200}
			registration = "${LAB_REGISTRATION:-required}"
			isolation = "${LAB_ISOLATION:-serve}"
			coordinator = { ${candidates%, } }
		END
		[ -z "$LAB_SETTINGS" ] || printf '%s\n' "$LAB_SETTINGS"
		for n in "$@"; do
			[ -z "${LAB_AGENT_OF[$n]:-}" ] || continue
			printf 'agent "a%s" { address="%s" key="%s" }\n' "${n#a}" \
				"$(lab_address "${n#a}" "$(lab_agent_port "${n#a}")")" \
				"$(lab_public "$LAB/${n#a}/host.key")"
		done
		for n in "$@"; do
			[ "$n" = "${n#a}" ] || continue
			printf 'server "s%s" { address="%s" weight=%s agent="a%s"%s%s }\n' "$n" \
				"$(lab_server_address "$n")" "${LAB_WEIGHT[$n]:-100}" "${LAB_AGENT_OF[$n]:-$n}" \
				"${LAB_LABEL[$n]:+ label=\"${LAB_LABEL[$n]}\"}" "${LAB_WIPE:+ wipe=$LAB_WIPE}"
		done
	} >"$LAB/cluster.conf"
}

# lab_signers [OPERATOR...]: the arguments of mcadmin that name their keys, in LAB_KEYS.
lab_signers() {
	local name signers=("${@:-${LAB_SIGNERS[@]:-${LAB_OPERATORS[@]:0:$LAB_THRESHOLD}}}")
	LAB_KEYS=()
	for name in "${signers[@]}"; do LAB_KEYS+=(-k "$LAB/$name.key"); done
}

# lab_sign DOCUMENT [OPERATOR...]
lab_sign() {
	local document=$1
	shift
	lab_signers "$@"
	"$BUILD/mcadmin" sign "${LAB_KEYS[@]}" "$document"
}

# lab_order [-N] COMMAND [ARGUMENT...]: mcadmin abort, giveup, excuse or failover, at agent N.
lab_order() {
	local n=$LAB_COORDINATOR
	case $1 in -[0-9]*) n=${1#-} && shift ;; esac
	lab_signers
	"$BUILD/mcadmin" "$@" "${LAB_KEYS[@]}" --agent "$(lab_agent_socket "$n")" --yes --timeout 30
}

# lab_ordered COMMAND...: the same, and what it says at last is shown.
lab_ordered() {
	lab_order "$@" >"$LAB/order.log" 2>&1 || fail "mcadmin $*: $(tail -n 3 "$LAB/order.log")"
	say "  ok: $*: $(tail -n 1 "$LAB/order.log")"
}

# The list that cluster.conf asks for, signed, in $LAB/list.  Prints what mcadmin says.
lab_list_init() {
	rm -f "$LAB/list"
	"$BUILD/mcadmin" plan "$LAB/cluster.conf" --parent none -o "$LAB/list" || return
	lab_sign "$LAB/list"
}

lab_list_plan() {
	rm -f "$LAB/list"
	"$BUILD/mcadmin" plan "$LAB/cluster.conf" --agent "$(lab_agent_socket "$LAB_COORDINATOR")" \
		-o "$LAB/list" || return
	[ -z "${LAB_LIST_EDIT:-}" ] || sed -i -E "$LAB_LIST_EDIT" "$LAB/list"
	lab_sign "$LAB/list"
}

# lab_push [AGENT [SECONDS [LIST]]]: waits for the cluster to settle; mcadmin's exit code.
lab_push() {
	"$BUILD/mcadmin" push "${3:-$LAB/list}" --agent "$(lab_agent_socket "${1:-$LAB_COORDINATOR}")" \
		--timeout "${2:-60}" --json
}

# plan, sign and push what lab_conf wrote.
lab_plan_push() {
	lab_list_plan >"$LAB/plan.log" 2>&1 || fail "mcadmin plan: $(cat "$LAB/plan.log")"
	lab_push "$@"
}

# The same, what it says in $LAB/push.log.
lab_change() { lab_plan_push "$@" >"$LAB/push.log" 2>&1; }

# The same, but the push runs on beside us.
lab_push_start() {
	lab_list_plan >"$LAB/plan.log" 2>&1 || fail "mcadmin plan: $(cat "$LAB/plan.log")"
	lab_push "${1:-}" "${2:-60}" >"$LAB/push.log" 2>&1 &
	LAB_PUSH_PID=$!
}

lab_push_wait() {
	local code
	wait "$LAB_PUSH_PID"
	code=$?
	LAB_PUSH_PID=
	return "$code"
}

# lab_start N: hosts 1 to N, all with server and agent, settled under their first list.
lab_start() {
	local n hosts=()
	lab_new
	for ((n = 1; n <= $1; n++)); do
		hosts+=("$n")
		lab_server_start "$n"
		lab_agent_start "$n"
	done
	lab_first_list "${hosts[@]}"
}

lab_first_list() {
	lab_conf "$@"
	lab_list_init >"$LAB/plan.log" 2>&1 || fail "mcadmin plan: $(cat "$LAB/plan.log")"
	lab_push "" 30 >"$LAB/push.log" 2>&1 || fail "the first list: $(tail -n 3 "$LAB/push.log")"
	local n
	for n in "$@"; do
		[ -z "${LAB_AGENT_OF[$n]:-}" ] || continue
		lab_wait_segment "${n#a}" steady 1
		lab_until "$LAB_WAIT_S" lab_leased "${n#a}" || fail "agent a${n#a} gets no lease"
	done
}

lab_isolated() { [ "$(lab_status -"$1" isolated)" = "true" ]; }
lab_leased() { [ "$(lab_status -"$1" isolated)" = "false" ]; }

# lab_settled EPOCH
lab_settled() { [ "$(lab_status settled) $(lab_status epoch)" = "true $1" ]; }
