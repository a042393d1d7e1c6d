# shellcheck shell=bash
# etcd.sh - a lab whose register lives in etcd: a real etcd, a relay between it and each candidate,
# and what the scenarios see of leaders and of the register's history.
#
# Sourced after lab.sh.  Hosts 1, 2 and 3 are the candidates.  etcd is on a host of its own; where a
# relay was started, agent n reaches it by the relay's address at host n alone, so that each can be
# cut off by itself.

LAB_ETCD_LEASE_S=${LAB_ETCD_LEASE_S:-4}
LAB_ETCD_HOST=250
LAB_ETCD_PORT=21379
LAB_RELAYED= # the hosts that have one
LAB_ETCD_ARGUMENTS=() # further ones
LAB_ETCD_SCHEME=http  # https: it is only seen to listen
LAB_ETCD_PID=

# ---- etcd ----

# Exits with 77 where there is none.
etcd_able() {
	command -v etcd >/dev/null && return
	say "skipped: etcd is not installed (etcd-server)"
	exit 77
}

etcd_address() { printf '%s.%s:%s\n' "$LAB_NET" "$LAB_ETCD_HOST" "$LAB_ETCD_PORT"; }

# Starts it, with the data that it had, and waits until it answers.
etcd_start() {
	local url="http://$LAB_NET.$LAB_ETCD_HOST"
	mkdir -p -m 0700 "$LAB/etcd"
	lab_prefix "$LAB_ETCD_HOST"
	"${LAB_PREFIX[@]}" etcd --data-dir "$LAB/etcd" --logger zap \
		--listen-client-urls "$LAB_ETCD_SCHEME://$(etcd_address)" \
		--advertise-client-urls "$LAB_ETCD_SCHEME://$(etcd_address)" \
		--listen-peer-urls "$url:$((LAB_ETCD_PORT + 1))" \
		--initial-advertise-peer-urls "$url:$((LAB_ETCD_PORT + 1))" \
		--initial-cluster "default=$url:$((LAB_ETCD_PORT + 1))" \
		"${LAB_ETCD_ARGUMENTS[@]}" >>"$LAB/etcd.out" 2>&1 &
	LAB_ETCD_PID=$!
	LAB_BESIDE=("$LAB_ETCD_PID" "${LAB_BESIDE[@]}")
	lab_until "$LAB_WAIT_S" etcd_answers || fail "etcd does not answer: $(tail -n 3 "$LAB/etcd.out")"
}

etcd_kill() {
	kill -KILL "$LAB_ETCD_PID"
	wait "$LAB_ETCD_PID" 2>/dev/null
	unset "LAB_BESIDE[0]"
	LAB_BESIDE=("${LAB_BESIDE[@]}")
	LAB_ETCD_PID=
}

etcd_answers() {
	lab_gone "$LAB_ETCD_PID" && fail "etcd has ended: $(tail -n 3 "$LAB/etcd.out")"
	if [ "$LAB_ETCD_SCHEME" = http ]; then
		etcd_post /v3/kv/range '{"key":"AA=="}' | grep -q '"header"'
	else
		(exec 3<>"/dev/tcp/$LAB_NET.$LAB_ETCD_HOST/$LAB_ETCD_PORT") 2>/dev/null
	fi
}

# etcd_post PATH JSON: prints what it answers.
# shellcheck disable=SC2016 # it is the other shell that expands them
etcd_post() {
	lab_prefix "$LAB_ETCD_HOST"
	printf 'POST %s HTTP/1.0\r\nContent-Length: %s\r\n\r\n%s' "$1" "${#2}" "$2" |
		"${LAB_PREFIX[@]}" timeout 10 bash -c 'exec 3<>"/dev/tcp/$0/$1" && cat >&3 && cat <&3' \
			"$LAB_NET.$LAB_ETCD_HOST" "$LAB_ETCD_PORT" | tr -d '\r'
} 2>/dev/null

# etcd_fill: writes until there is no space left (LAB_ETCD_ARGUMENTS has set a small quota).
etcd_fill() {
	local value i
	value=$(head -c 400000 /dev/zero | base64 -w0)
	for ((i = 0; i < 100; i++)); do
		etcd_post /v3/kv/put "{\"key\":\"$(printf 'fill%s' "$i" | base64)\",\"value\":\"$value\"}" |
			grep -q 'space exceeded' && return
	done
	fail "etcd takes whatever it is given"
}

# etcd_more_space: takes that away again, and the alarm back.
etcd_more_space() {
	local revision member
	revision=$(etcd_post /v3/kv/deleterange \
		"{\"key\":\"$(printf fill | base64)\",\"range_end\":\"$(printf film | base64)\"}" |
		sed -n 's/.*"revision":"\([0-9]*\)".*/\1/p')
	etcd_post /v3/kv/compaction "{\"revision\":\"$revision\",\"physical\":true}" >/dev/null
	etcd_post /v3/maintenance/defragment '{}' >/dev/null
	member=$(etcd_post /v3/maintenance/alarm '{"action":"GET"}' |
		sed -n 's/.*"alarms":\[{"memberID":"\([0-9]*\)".*/\1/p')
	[ -n "$member" ] || fail "etcd has no alarm to take back"
	etcd_post /v3/maintenance/alarm \
		"{\"action\":\"DEACTIVATE\",\"memberID\":\"$member\",\"alarm\":\"NOSPACE\"}" >/dev/null
	etcd_post /v3/kv/put '{"key":"eA==","value":"eA=="}' | grep -q ' 200 ' ||
		fail "etcd is still out of space"
}

# etcd_put NAME VALUE: by hand, what nobody should do.
etcd_put() {
	etcd_post /v3/kv/put "{\"key\":\"$(printf '/mcroster/%s/%s' "$LAB_CLUSTER" "$1" | base64 -w0)\",\"value\":\"$(
		printf '%s\n' "$2" | base64 -w0
	)\"}" | grep -q ' 200 ' || fail "etcd does not take it"
}

# The register as it stands there.
etcd_register() {
	etcd_post /v3/kv/range "{\"key\":\"$(printf '/mcroster/%s/register' "$LAB_CLUSTER" | base64 -w0)\"}" |
		sed -n 's/.*"value":"\([^"]*\)".*/\1/p' | base64 -d
}

# ---- the relay ----

# relay_start N...: one way to etcd for each of these hosts.
relay_start() {
	local n addresses=()
	for n in "$@"; do addresses+=("$LAB_NET.$n:$LAB_ETCD_PORT"); done
	LAB_RELAYED="$*"
	mkfifo "$LAB/relay.in" "$LAB/relay.out"
	exec {LAB_RELAY_IN}<>"$LAB/relay.in" {LAB_RELAY_OUT}<>"$LAB/relay.out"
	"$LAB_TOOLS/relay" "$(etcd_address)" "${addresses[@]}" <"$LAB/relay.in" >"$LAB/relay.out" \
		2>>"$LAB/relay.log" &
	LAB_BESIDE+=($!)
	relay_said
}

relay_said() {
	local answer=
	IFS= read -r -t 10 -u "$LAB_RELAY_OUT" answer
	[ "$answer" = ok ] || fail "relay: ${answer:-$(cat "$LAB/relay.log")}"
}

# relay MODE [N]: for host N, or for all.
relay() {
	printf '%s %s\n' "$1" "${2:-all}" >&"$LAB_RELAY_IN"
	relay_said
}

# ---- a lab with it ----

# etcd_conf N: agent.conf of a host whose register lives in etcd.
etcd_conf() {
	local by=$LAB_ETCD_HOST
	[[ " $LAB_RELAYED " != *" $1 "* ]] || by=$1
	lab_agent_conf "$1"
	cat >>"$LAB/$1/agent.conf" <<-END
		register = "etcd"
		etcd-endpoints = { "http://$LAB_NET.$by:$LAB_ETCD_PORT" }
		etcd-lease = $LAB_ETCD_LEASE_S
	END
}

# etcd_lab_start: hosts 1 to 3 with servers, a5 without one and no candidate, and the first list.
etcd_lab_start() {
	local n
	etcd_able
	LAB_CANDIDATES="1 2 3"
	lab_new
	etcd_start
	relay_start 1 2 3
	for n in 1 2 3; do
		lab_server_start "$n"
		etcd_conf "$n"
		lab_agent_start "$n"
	done
	lab_agent_start 5
	lab_first_list 1 2 3 a5
	etcd_led
}

# ---- who leads ----

# leads N: it says itself that it coordinates the cluster; others pass on what the leader says.
leads() {
	[[ $(lab_status_json "$1") =~ \"view\":\"cluster\",\"agent\":\"a$1\".*\"coordinator\":\"a$1\" ]]
}

# etcd_leader [N...]: the one of them (of all) who leads is LAB_COORDINATOR.
etcd_leader() {
	local n
	[ $# -gt 0 ] || set -- 1 2 3
	for n in "$@"; do
		[ -n "${LAB_AGENT_PID[$n]:-}" ] && leads "$n" && LAB_COORDINATOR=$n && return
	done
	return 1
}
etcd_led() {
	lab_until 30 etcd_leader "$@" || fail "none of ${*:-1 2 3} leads"
	say "  a$LAB_COORDINATOR leads"
}

# etcd_led_since MS [N...]: the same; how long it took, in etcd's leases, is shown, not judged.
etcd_led_since() {
	local since_ms=$1 took_ms
	shift
	etcd_led "$@"
	took_ms=$(($(lab_now_ms) - since_ms))
	awk -v ms="$took_ms" -v lease_s="$LAB_ETCD_LEASE_S" \
		'BEGIN { printf "  after %d ms: %.2f lease times of etcd\n", ms, ms / lease_s / 1000 }'
}

others() { # N: the candidates but this one
	local n
	for n in 1 2 3; do [ "$n" = "$1" ] || printf '%s\n' "$n"; done
}

# etcd_stop_in N PHASE: stops the leading agent N in this phase; in COPY and DRAIN with its work begun.
etcd_stop_in() {
	local pid=${LAB_AGENT_PID[$1]} from
	case $2 in
	COPY | DRAIN)
		lab_wait_progress "$1" "$2"
		lab_stop_in "$1" "$2"
		;;
	PURGE) # segments do not show it; it is over at once if there is nothing to remove
		lab_wait_segment "$1" DRAIN
		from=$(wc -l <"$LAB/$1/agent.log")
		lab_strew 4 $((3 * LAB_RATE)) # who leaves
		grep -q -m 1 "^register: epoch .*: $2 (register" \
			< <(timeout 60 tail -n +$((from + 1)) -f "$LAB/$1/agent.log" 2>/dev/null)
		kill -STOP "$pid"
		check "agent a$1 is stopped in $2" grep -q ": $2 (" \
			< <(grep '^register: ' "$LAB/$1/agent.log" | tail -n 1)
		;;
	*) lab_stop_in "$1" "$2" ;;
	esac
}

losses() { grep -c '^leadership is lost' "$LAB/$1/agent.log"; }

# lost N [LOSSES]: it has said that it leads no longer (more often than that), and acts so.
lost() { [ "$(losses "$1")" -gt "${2:-0}" ] && ! leads "$1"; }

# The name that stands in etcd as the leader's, if any.
etcd_leader_key() {
	etcd_post /v3/kv/range "{\"key\":\"$(printf '/mcroster/%s/leader' "$LAB_CLUSTER" | base64 -w0)\"}" |
		sed -n 's/.*"value":"\([^"]*\)".*/\1/p' | base64 -d
}

# ---- one history ----

# What the candidates passed, in the register's order: TERM SERIAL AGENT EPOCHS PHASE
etcd_history() {
	local n
	for n in 1 2 3; do
		sed -n "s/^register: epoch \(.*\): \([A-Z]*\) (register \([0-9]*\)\.\([0-9]*\))\$/\3 \4 a$n \1 \2/p" \
			"$LAB/$n/agent.log"
	done | sed 's/ \([0-9]*\) to \([0-9]*\) / \1-\2 /' | sort -n -k1,1 -k2,2
}

# No register was stored twice, terms and serials grow, each phase of a change is passed once, in
# order.  A new leader repeats where the one before stood, in a term of its own; one who is struck
# between etcd's taking that and its hearing so has a term of which nobody ever says anything.
etcd_one_history() {
	etcd_history >"$LAB/history"
	awk '
		function bad(why) { print "  " why ": " $0; wrong = 1 }
		BEGIN {
			split("PREPARE COPY SWITCH SETTLE DRAIN AFTER PURGE STEADY", name)
			for (i in name) rank[name[i]] = i
		}
		NR > 1 {
			if ($1 == term && $3 != agent) bad("two agents in one term")
			if ($1 == term && $2 <= serial) bad("the serial does not grow")
			if ($1 > term && ($2 < serial || $2 > serial + 1)) bad("the serial does not go on")
			if (!($5 in rank)) bad("a phase out of the way")
			else if ($4 == epochs && rank[$5] < rank[phase]) bad("back")
			else if ($4 == epochs && $5 == phase && $1 == term) bad("passed twice")
			else if ($4 == epochs && rank[$5] > rank[phase] + 1) bad("left out")
		}
		{ term = $1; serial = $2; agent = $3; epochs = $4; phase = $5 }
		END { exit wrong || NR == 0 }' "$LAB/history" >&2
}

# etcd_history_checked [AGENT...]: of the candidates, and of what every agent (by default 1 to 5) has
# shown to its clients.
etcd_history_checked() {
	local n
	check "one history: $(etcd_history | wc -l) registers, $(etcd_history | cut -d' ' -f1 | uniq | wc -l) terms, nothing passed twice" \
		etcd_one_history
	[ $# -gt 0 ] || set -- 1 2 3 4 5
	for n in "$@"; do check "a$n has shown nothing else" etcd_shown_as_passed "$n"; done
}

# What agent N published, in its order, are registers of that history, never an earlier one after a
# later one (the same one once more: the agent was restarted).
etcd_shown_as_passed() {
	sed -n "s/^published: epoch \(.*\): \([A-Z]*\) (register \([0-9]*\)\.\([0-9]*\))\$/\3 \4 \1 \2/p" \
		"$LAB/$1/agent.log" | sed 's/ \([0-9]*\) to \([0-9]*\) / \1-\2 /' >"$LAB/shown"
	awk '
		NR == FNR { passed[$1 " " $2] = $4 " " $5; next }
		passed[$1 " " $2] != $3 " " $4 { print "  never passed: " $0; wrong = 1 }
		$1 < term || $1 == term && $2 < serial { print "  back: " $0; wrong = 1 }
		{ term = $1; serial = $2; shown++ }
		END { exit wrong || !shown }' "$LAB/history" "$LAB/shown" >&2
}
