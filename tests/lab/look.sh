# shellcheck shell=bash
# look.sh - what a lab's scenarios see and provoke: phases, progress, checked load, dumps, kills.
#
# Sourced by lab.sh.

# ---- watching ----

# lab_wait_segment N PHASE [EPOCH [MS]]: until the segment of host N shows it.
lab_wait_segment() {
	"$LAB_TOOLS/watch" --segment "$(lab_segment "$1")" --phase "$2" --epoch "${3:-0}" \
		--timeout "${4:-$((LAB_WAIT_S * 1000))}" >/dev/null || fail "host $1 does not show $2"
}

# lab_kill_in N PHASE [EPOCH]: of one host.
lab_kill_in() {
	lab_kill_all_in "$2" "${3:-0}" "$1"
}

# lab_kill_all_in PHASE EPOCH N...: waits for the phase (0: in whatever epoch) in each host's segment and
# kills its agent that instant; the segment then shows whether the phase was still the one.
lab_kill_all_in() {
	local phase=$1 epoch=$2 n watches=() watch
	shift 2
	for n; do
		"$LAB_TOOLS/watch" --segment "$(lab_segment "$n")" --phase "$phase" --epoch "$epoch" \
			--kill "${LAB_AGENT_PID[$n]}" >/dev/null &
		watches+=($!)
	done
	for watch in "${watches[@]}"; do wait "$watch" || fail "a host of $* does not show $phase"; done
	for n; do lab_killed_in "$n" "$phase"; done
}

# lab_stop_in N PHASE: the same, but it is stopped: killed, or let go on, by whoever called.
lab_stop_in() {
	local shown
	"$LAB_TOOLS/watch" --segment "$(lab_segment "$1")" --phase "$2" --stop "${LAB_AGENT_PID[$1]}" \
		>/dev/null || fail "host $1 does not show $2"
	read -r shown _ < <(lab_shown "$1")
	check "agent a$1 is stopped in ${2^^}" equal "${shown^^}" "${2^^}"
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

# lab_status [-N] FIELD: one field of what agent N (the coordinator's) says, by its JSON name, without
# white space.
lab_status() {
	local n=$LAB_COORDINATOR
	case $1 in -*) n=${1#-} && shift ;; esac
	lab_status_json "$n" | grep -oE "\"$1\":(\"[^\"]*|[^,}\"]*)" | sed -n '1s/^"[a-z_]*":"\{0,1\}//p'
}

# lab_wait_for WHAT: until the coordinator says that this is what it waits for (without white space).
lab_wait_for() {
	lab_until "$LAB_WAIT_S" lab_waits_for "$1" || fail "waits for: $(lab_status waits_for)"
	say "  ok: waits for $(lab_status waits_for)"
}
lab_waits_for() { [[ $(lab_status waits_for) = *"$1"* ]]; }

# lab_passed EPOCHS PHASE: it stands in the coordinator's log.
lab_passed() { grep -q "^register: epoch $1: $2 " "$LAB/$LAB_COORDINATOR/agent.log"; }

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

# lab_load_start KEYS HOSTS [ARGUMENT...]: the checking load on the segments of hosts "1 2 3"; it is the
# program LAB_LOADER.
lab_load_start() {
	local keys=$1 numbers=$2 n arguments=()
	shift 2
	for n in $numbers; do arguments+=(--segment "$(lab_segment "$n")"); done
	lab_ways
	arguments+=("${LAB_WAYS[@]}")
	coproc LAB_LOAD { exec "${LAB_LOADER:-$LAB_TOOLS/load}" --keys "$keys" "${arguments[@]}" "$@" 2>>"$LAB/load.log"; }
	# shellcheck disable=SC2153 # coproc sets LAB_LOAD_PID
	LAB_LOAD_IN=${LAB_LOAD[1]} LAB_LOAD_OUT=${LAB_LOAD[0]} LAB_LOAD_PROCESS=$LAB_LOAD_PID
}
LAB_LOAD_PROCESS=

# lab_load COMMAND: its answer is in LAB_ANSWER.
lab_load() {
	lab_load_begin "$1"
	lab_load_answer
}

# What it said last; of a sanitizer's report the head, which says where.
lab_load_last() {
	grep -m 1 -A 9 'ERROR: .*Sanitizer\|runtime error' "$LAB/load.log" || tail -n 3 "$LAB/load.log"
}

# What takes its time: its answer is asked for later.
lab_load_begin() {
	printf '%s\n' "$1" >&"$LAB_LOAD_IN" || fail "the load has ended: $(lab_load_last)"
}
lab_load_answer() {
	LAB_ANSWER=
	IFS= read -r -t 180 -u "$LAB_LOAD_OUT" LAB_ANSWER ||
		fail "the load does not answer: $(lab_load_last)"
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
	lab_load_late
}

# What memcacheds did after clients had given it up is told, where there was any.
lab_load_late() {
	[ "$(lab_load_number late)" = 0 ] ||
		say "      older values by commands executed after they were given up: $(lab_load_number late)"
}

# Where keys were lost or clients cut off: none was read that was older than the last write.
lab_load_not_stale() {
	local name
	lab_load report
	for name in stale foreign overdue; do
		check "$name reads: 0" equal "$(lab_load_number $name)" 0
	done
	lab_load_late
}

# lab_inspect [ADDRESS...]: dumps every server (and those that left), for lab_inspected to read.
lab_inspect() {
	local also=() address
	for address in "$@"; do also+=(--also "$address"); done
	lab_ways
	also+=("${LAB_WAYS[@]}")
	lab_prefix "$LAB_COORDINATOR"
	"${LAB_PREFIX[@]}" "$LAB_TOOLS/inspect" --segment "$(lab_segment "$LAB_COORDINATOR")" "${also[@]}" \
		>"$LAB/inspect.txt" || fail "the memcacheds could not be inspected"
}

# lab_inspect_zeros [ADDRESS...]: the load at rest, and nothing where it does not belong.
# shellcheck disable=SC2120
lab_inspect_zeros() {
	lab_inspect "$@"
	check "misplaced keys: 0" equal "$(lab_inspected misplaced)" 0
	check "reservations left: 0" equal "$(lab_inspected stubs)" 0
}

# lab_inspected NAME [LINE]: a number of the total, or of the line that begins so.
lab_inspected() {
	sed -n "s/^${2:-total}.* $1 \([0-9]*\).*/\1/p; s/^${2:-total}.*$1 \([0-9]*\)\$/\1/p" \
		"$LAB/inspect.txt" | head -n 1
}
