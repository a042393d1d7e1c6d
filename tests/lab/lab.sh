# shellcheck shell=bash
# lab.sh - a small cluster of real processes: memcacheds and agents on loopback addresses.
#
# Sourced by the demo and the process scenarios.  A lab has a directory, a network 127.x.y.0/24 and
# a name of its own, so several may run side by side.  Host number n has the address 127.x.y.n, a
# memcached (server sN), an agent (aN) with its state, keys and log in $LAB/n, and the segment
# /mcroster.<lab>.n.  Everything is ended by its process id and removed when the script exits, by
# whatever way; when it failed, the logs' ends are printed first.  LAB_KEEP=1 keeps the directory.
#
# BUILD names the directory with the binaries.

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
LAB_SETTINGS= # further lines of cluster.conf
declare -A LAB_SERVER_PID=() LAB_AGENT_PID=()
LAB_PUSH_PID=

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
	"$BUILD/mcadmin" keygen -o "$LAB/operator.key" >/dev/null || fail "mcadmin keygen"
	"$BUILD/mcadmin" keygen --psk -o "$LAB/psk" >/dev/null || fail "mcadmin keygen --psk"
}

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
	LAB_AGENT_PID=() LAB_SERVER_PID=() LAB_PUSH_PID=
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

# ---- memcached ----

lab_server_address() { printf '%s.%s:%s\n' "$LAB_NET" "$1" "$LAB_SERVER_PORT"; }

# lab_server_start N [ARGUMENT...]
lab_server_start() {
	local n=$1
	shift
	local user=()
	[ "$(id -u)" != 0 ] || user=(-u root)
	mkdir -p "$LAB/$n"
	memcached -l "$LAB_NET.$n" -p "$LAB_SERVER_PORT" -U 0 -m "$LAB_MEMORY" -t 2 -c 1024 \
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

# lab_memcached N COMMAND [LINE]: prints what it answers, up to a line that ends an answer.
lab_memcached() {
	local n=$1 line
	shift
	exec {lab_fd}<>"/dev/tcp/$LAB_NET.$n/$LAB_SERVER_PORT" || return 1
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

# All keys of a server with their expiry, last access, cas and size, sorted.
lab_dump() { lab_memcached "$1" 'lru_crawler metadump hash' | sort; }

lab_server_stat() { lab_memcached "$1" stats | sed -n "s/^STAT $2 //p"; }

# ---- agents ----

lab_segment() { printf '/mcroster.%s.%s\n' "$LAB_ID" "$1"; }
lab_agent_socket() { printf '%s/%s/control\n' "$LAB" "$1"; }

# lab_agent_conf N: keys and agent.conf of a host.
lab_agent_conf() {
	local n=$1
	mkdir -p "$LAB/$n"
	[ -f "$LAB/$n/host.key" ] || "$BUILD/mcadmin" hostkey -o "$LAB/$n/host.key" >/dev/null ||
		fail "mcadmin hostkey"
	cat >"$LAB/$n/agent.conf" <<-END
		cluster = "$LAB_CLUSTER"
		name = "a$n"
		listen = "$LAB_NET.$n:$LAB_AGENT_PORT"
		state-directory = "$LAB/$n/state"
		control-socket = "$(lab_agent_socket "$n")"
		segment = "$(lab_segment "$n")"
		host-key = "$LAB/$n/host.key"
		psk = "$LAB/psk"
		trusted-keys = { "$(lab_public "$LAB/operator.key")" }
		threshold = 1
		rate-keys = $LAB_RATE
		boot-wait = ${LAB_BOOT_WAIT_MS:-30000}
	END
}

lab_public() { head -n 1 "$1.pub"; }

# Starts an agent and returns at once.
lab_agent_spawn() {
	local n=$1
	"$BUILD/mcrosterd" -c "$LAB/$n/agent.conf" >>"$LAB/$n/agent.log" 2>&1 &
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
# alone.  LAB_SETTINGS holds further lines.
lab_conf() {
	local n
	{
		cat <<-END
			cluster = "$LAB_CLUSTER"
			slots = ${LAB_SLOTS:-16384}
			lease = 1000
			steady-lease = 2000
			op-timeout = 200
			registration = "optional"
			isolation = "${LAB_ISOLATION:-serve}"
			coordinator = "a$LAB_COORDINATOR"
		END
		[ -z "$LAB_SETTINGS" ] || printf '%s\n' "$LAB_SETTINGS"
		for n in "$@"; do
			printf 'agent "a%s" { address="%s.%s:%s" key="%s" }\n' "${n#a}" "$LAB_NET" "${n#a}" \
				"$LAB_AGENT_PORT" "$(lab_public "$LAB/${n#a}/host.key")"
		done
		for n in "$@"; do
			[ "$n" = "${n#a}" ] || continue
			printf 'server "s%s" { address="%s" weight=100 agent="a%s" }\n' "$n" \
				"$(lab_server_address "$n")" "$n"
		done
	} >"$LAB/cluster.conf"
}

# The list that cluster.conf asks for, signed, in $LAB/list.  Prints what mcadmin says.
lab_list_init() {
	rm -f "$LAB/list"
	"$BUILD/mcadmin" init "$LAB/cluster.conf" -o "$LAB/list" || return
	"$BUILD/mcadmin" sign -k "$LAB/operator.key" "$LAB/list"
}

lab_list_plan() {
	rm -f "$LAB/list"
	"$BUILD/mcadmin" plan "$LAB/cluster.conf" --agent "$(lab_agent_socket "$LAB_COORDINATOR")" \
		-o "$LAB/list" || return
	"$BUILD/mcadmin" sign -k "$LAB/operator.key" "$LAB/list"
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
	lab_list_init >"$LAB/plan.log" 2>&1 || fail "mcadmin init: $(cat "$LAB/plan.log")"
	lab_push "" 30 >"$LAB/push.log" 2>&1 || fail "the first list: $(tail -n 3 "$LAB/push.log")"
	local n
	for n in "$@"; do
		lab_wait_segment "${n#a}" steady 1
		lab_until "$LAB_WAIT_S" lab_leased "${n#a}" || fail "agent a${n#a} gets no lease"
	done
}

lab_leased() { [ "$(lab_status -"$1" isolated)" = "false" ]; }

# lab_settled EPOCH
lab_settled() { [ "$(lab_status settled) $(lab_status epoch)" = "true $1" ]; }

# ---- watching ----

# lab_wait_segment N PHASE [EPOCH [MS]]: until the segment of host N shows it.
lab_wait_segment() {
	"$LAB_TOOLS/watch" --segment "$(lab_segment "$1")" --phase "$2" --epoch "${3:-0}" \
		--timeout "${4:-$((LAB_WAIT_S * 1000))}" >/dev/null || fail "host $1 does not show $2"
}

# lab_kill_in N PHASE [EPOCH]: waits for the phase in host N's segment and kills its agent that
# instant; the segment then shows whether the phase was still the one.
lab_kill_in() {
	"$LAB_TOOLS/watch" --segment "$(lab_segment "$1")" --phase "$2" --epoch "${3:-0}" \
		--kill "${LAB_AGENT_PID[$1]}" >/dev/null || fail "host $1 does not show $2"
	lab_killed_in "$1" "$2"
}

# lab_kill_working N PHASE: kills host N's agent when 10 to 90 % of its work in the phase is done.
lab_kill_working() {
	lab_wait_progress "$1" "$2"
	kill -KILL "${LAB_AGENT_PID[$1]}"
	lab_killed_in "$1" "$2"
}

lab_killed_in() {
	local phase
	lab_agent_reap "$1"
	read -r phase _ < <(lab_shown "$1")
	check "agent a$1 is killed in ${2^^}" equal "${phase^^}" "${2^^}"
}

# What host N's segment shows: PHASE epoch E generation G
lab_shown() { "$LAB_TOOLS/watch" --segment "$(lab_segment "$1")" --timeout 1000; }

# lab_status [-N] FIELD: one field of what agent N (the coordinator's) says, by its JSON name.
lab_status() {
	local n=$LAB_COORDINATOR
	case $1 in -*) n=${1#-} && shift ;; esac
	lab_status_json "$n" | sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}

# The agent's status on one line without white space, the arrays last.
lab_status_json() {
	"$BUILD/mcadmin" status --agent "$(lab_agent_socket "$1")" --json 2>/dev/null | tr -d ' \t\n'
}

# lab_progress N: "PHASE WORK PERCENT" of host N's own work, as its agent says.
lab_progress() {
	lab_status_json "$1" | grep -o "{\"name\":\"a$1\",\"lease[^}]*}" | awk '
		function field(name) {
			if (!match($0, "\"" name "\":\"?[^,\"}]*")) return 0
			text = substr($0, RSTART, RLENGTH)
			sub(/^"[a-z_]*":"?/, "", text)
			return text
		}
		{
			done = field("moved") + field("present") + field("gone") + field("failed")
			all = done + field("left")
			printf "%s %s %d\n", field("phase"), field("work"), all ? 100 * done / all : 0
		}'
}

# lab_wait_progress N PHASE: until host N's work in the phase is 10 to 90 % done.  Too late is a
# failure: the window was missed.
lab_wait_progress() {
	local end=$(($(lab_now_ms) + 60000)) phase work percent
	while [ "$(lab_now_ms)" -lt "$end" ]; do
		read -r phase work percent < <(lab_progress "$1") || continue
		[ "$phase" = "$2" ] || continue
		if [ "$work" = "done" ] || [ "$percent" -gt 90 ]; then
			fail "host $1 was through $percent % of $2 ($work) before it was looked at"
		fi
		[ "$percent" -lt 10 ] || return 0
	done
	fail "host $1 did not come to 10 % of $2"
}

# ---- load and inspection ----

# lab_load_start KEYS HOSTS [ARGUMENT...]: the checking load on the segments of hosts "1 2 3".
lab_load_start() {
	local keys=$1 numbers=$2 n arguments=()
	shift 2
	for n in $numbers; do arguments+=(--segment "$(lab_segment "$n")"); done
	coproc LAB_LOAD { exec "$LAB_TOOLS/load" --keys "$keys" "${arguments[@]}" "$@" 2>>"$LAB/load.log"; }
	# shellcheck disable=SC2153 # coproc sets LAB_LOAD_PID
	LAB_LOAD_IN=${LAB_LOAD[1]} LAB_LOAD_OUT=${LAB_LOAD[0]} LAB_LOAD_PROCESS=$LAB_LOAD_PID
}
LAB_LOAD_PROCESS=

# lab_load COMMAND: its answer is in LAB_ANSWER.
lab_load() {
	LAB_ANSWER=
	printf '%s\n' "$1" >&"$LAB_LOAD_IN" || fail "the load has ended: $(tail -n 3 "$LAB/load.log")"
	IFS= read -r -t 180 -u "$LAB_LOAD_OUT" LAB_ANSWER ||
		fail "the load does not answer to $1: $(tail -n 3 "$LAB/load.log")"
}

# lab_load_number NAME: from a report, asked for by `lab_load report`.
lab_load_number() {
	local rest=${LAB_ANSWER#*"\"$1\":"}
	[ "$rest" != "$LAB_ANSWER" ] || fail "the load's report has no $1"
	printf '%s\n' "${rest%%[,\}]*}"
}

lab_load_stop() {
	[ -n "$LAB_LOAD_PROCESS" ] || return 0
	lab_end "$LAB_LOAD_PROCESS"
	LAB_LOAD_PROCESS=
}

# No read was stale, none missed, nothing else was wrong.
lab_load_zeros() {
	local name
	lab_load report
	for name in stale missed foreign overdue; do
		check "$name reads: 0" equal "$(lab_load_number $name)" 0
	done
}

# lab_inspect [ADDRESS...]: dumps every server (and those that left), for lab_inspected to read.
lab_inspect() {
	local also=() address
	for address in "$@"; do also+=(--also "$address"); done
	"$LAB_TOOLS/inspect" --segment "$(lab_segment "$LAB_COORDINATOR")" "${also[@]}" \
		>"$LAB/inspect.txt" || fail "the memcacheds could not be inspected"
}

# lab_inspected NAME [LINE]: a number of the total, or of the line that begins so.
lab_inspected() {
	sed -n "s/^${2:-total}.* $1 \([0-9]*\).*/\1/p; s/^${2:-total}.*$1 \([0-9]*\)\$/\1/p" \
		"$LAB/inspect.txt" | head -n 1
}
