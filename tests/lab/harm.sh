# shellcheck shell=bash
# harm.sh - who comes to harm in a change, how, and in which phase: one engine for all scenarios 7x-*.
#
# Sourced after lab.sh.  A fleet of three servers gains a fourth and loses it again, in turn; all the
# while readers and writers check every answer.  Each row is `harm PHASE WHO HOW`:
#   PHASE  prepare, COPY, switch, settle, DRAIN, PURGE; COPY and DRAIN mean: in the middle of the work
#   WHO    source (loses keys), destination (gains some), or their agents, or a client
#   HOW    a function harm_HOW, see below
# Phases are waited for where they show, never by the clock.  After each change nothing was stale,
# nothing is misplaced, no reservation is left, and no key was missed: lost with a killed server, and
# counted, is what it owned and its key's other owner did not hold at that moment, as that one says.

HARM_KEYS=${HARM_KEYS:-3000}
HARM_STOPPED_S=${HARM_STOPPED_S:-14} # longer than the longest time-out, a reservation's 10 + 2 s
# A machine that is busy must not make memcacheds look stopped.
LAB_OP_TIMEOUT_MS=1000 LAB_LEASE_MS=3500 LAB_STEADY_LEASE_MS=4000
LAB_ISOLATION=bypass # who is away longer than its lease is not to be read by
# A source that is left has to move three times what each of three has that get a fourth beside them.
HARM_RATE=${HARM_RATE:-100}
HARM_RATE_LEAVING=$((3 * HARM_RATE))
HARM_SEGMENTS=   # "1 2 3 4": hosts with a process of clients each
HARM_VICTIM=     # the number of the next client process that is there to be killed
HARM_EPOCH=
HARM_LOST= HARM_MARKED= HARM_KILLED=
HARM_CHANGE_S=150
declare -A HARM_HOST=() # by role

# harm_fleet [CLIENTS]: with so many client processes to be killed; in the place of the one before.
# shellcheck disable=SC2120
harm_fleet() {
	local n clients=${1:-0}
	lab_stop
	HARM_EPOCH=1 HARM_VICTIM=4 HARM_SEGMENTS="1 2 3 4" HARM_LOST=0 HARM_MARKED=0 HARM_KILLED=0
	lab_new
	for n in 1 2 3 4; do
		LAB_RATE=$HARM_RATE
		[ $n != 4 ] || LAB_RATE=$HARM_RATE_LEAVING
		harm_server_start $n
		lab_agent_start $n
	done
	lab_first_list 1 2 3 a4
	for ((n = 0; n < clients; n++)); do HARM_SEGMENTS+=" 3"; done
	lab_load_start "$HARM_KEYS" "$HARM_SEGMENTS" --apart --readers 2 --writers 2 --rate 400
	[ -n "$HARM_EMPTY" ] || lab_load fill
	lab_load run
}
HARM_EMPTY= # "yes": nothing is stored at first

# A scenario may start them in another way.
declare -A HARM_ARGUMENTS=() # of host N's memcached
harm_server_start() {
	# shellcheck disable=SC2086 # some or none
	lab_server_start "$1" ${HARM_ARGUMENTS[$1]:-}
}

# ---- changes ----

# The roles of the change that comes next; the meter shows how far its work is.
harm_roles() {
	if [ $((HARM_EPOCH % 2)) = 1 ]; then
		HARM_HOST=([source]=2 [destination]=4 [meter]=3)
		HARM_HOSTS="1 2 3 4"
		HARM_LEFT=
	else
		HARM_HOST=([source]=4 [destination]=2 [meter]=4)
		HARM_HOSTS="1 2 3 a4"
		HARM_LEFT=$(lab_server_address 4)
	fi
}

harm_change_begin() {
	harm_roles
	say "epoch $HARM_EPOCH to $((HARM_EPOCH + 1)), hosts $HARM_HOSTS"
	# shellcheck disable=SC2086 # one word for each
	lab_conf $HARM_HOSTS
	lab_push_start "" $HARM_CHANGE_S
}

harm_change_end() {
	check "the change goes through" lab_push_wait
	harm_clients_continue
	HARM_EPOCH=$((HARM_EPOCH + 1))
	lab_until 20 lab_settled $HARM_EPOCH || fail "not settled under epoch $HARM_EPOCH"
	lab_load pause
	harm_checked
	lab_load fill
	lab_load whole
	lab_load run
}

# What must hold after whatever has happened, the load at rest.
harm_checked() {
	local lost processes
	processes=$(($(wc -w <<<"$HARM_SEGMENTS") - HARM_KILLED))
	lab_load report
	lost=$(lab_load_number lost)
	lab_load verify
	lab_load_zeros
	say "      lost with a server: $((lost - HARM_LOST)) answers in the change"
	# What every process misses when it reads each key once.
	HARM_LOST=$(lab_load_number lost)
	lost=$((HARM_LOST - lost))
	harm_bound
	check "lost: $((lost / processes)) keys, of $HARM_MARKED $HARM_BOUND" \
		between 0 "$lost" $((HARM_MARKED * processes))
	HARM_MARKED=0
	# shellcheck disable=SC2086 # none or one
	lab_inspect_zeros $HARM_LEFT
}
# No more than HARM_MARKED keys may be lost, and why.
harm_bound() { HARM_BOUND="that nobody else held"; }

# harm_change [WHO HOW PHASE... [+ WHO HOW PHASE...]]: one change, harmed in these phases, in this
# order.
harm_change() {
	local who how
	harm_change_begin
	while [ $# -ge 3 ]; do
		who=$1 how=$2
		shift 2
		while [ $# -gt 0 ] && [ "$1" != + ]; do
			harm "$1" "$who" "$how"
			shift
		done
		[ $# = 0 ] || shift
	done
	harm_change_end
}

harm() {
	HARM_N=${HARM_HOST[$2]:-}
	"harm_$3" "$1"
	say "  harm in ${1^^}: $2${HARM_N:+ on host $HARM_N}: ${3//_/ }"
}

# ---- the moment ----

# harm_reach PHASE SIGNAL PID: it gets the signal when the phase is there.
harm_reach() {
	local phase=$1 signal=$2 pid=$3 epoch=$HARM_EPOCH how=--kill shown
	case $phase in
	COPY | DRAIN)
		lab_wait_progress "${HARM_HOST[meter]}" "$phase"
		kill "-$signal" "$pid"
		read -r shown _ < <(lab_shown "$HARM_N")
		check "host $HARM_N shows $phase" equal "$shown" "$phase"
		return
		;;
	PURGE) phase=steady epoch=$((HARM_EPOCH + 1)) ;;
	esac
	[ "$signal" != STOP ] || how=--stop
	"$LAB_TOOLS/watch" --segment "$(lab_segment "$HARM_N")" --phase "$phase" --epoch "$epoch" \
		"$how" "$pid" >/dev/null || fail "host $HARM_N does not show $phase"
}

# ---- how ----

# What clients could not do so far.
harm_failures() {
	lab_load report
	printf '%s\n' $(($(lab_load_number reads_failed) + $(lab_load_number writes_failed) + $(
		lab_load_number writes_incomplete)))
}
harm_refusals() {
	lab_load report
	printf '%s\n' $(($(lab_load_number reads_refused) + $(lab_load_number writes_refused)))
}
harm_more() { [ "$("$1")" -gt "$2" ]; }

# Host N's memcached has been killed: what nobody else holds is lost with it.  Agents that answer have
# done what its last answers meant for other servers.
harm_lost() {
	local n
	for n in 1 2 3 4; do lab_status_json "$n" >/dev/null; done
	lab_load "killed $(lab_server_address "$HARM_N")"
	[ "$LAB_ANSWER" != "${LAB_ANSWER#lost }" ] || fail "killed: $LAB_ANSWER"
	HARM_MARKED=$((HARM_MARKED + ${LAB_ANSWER#lost }))
}

# Its memcached is killed, and comes back empty when clients or a mover have felt it.
harm_server_killed() {
	local before
	harm_server_killed_in "$1"
	before=$(harm_failures)
	lab_until 30 harm_felt "$before" || fail "nobody feels that s$HARM_N is gone"
	harm_server_start "$HARM_N"
}
harm_felt() {
	harm_more harm_failures "$1" ||
		[[ $(lab_status_json "${HARM_HOST[meter]}") = *"waitsforservers$HARM_N"* ]]
}

# ... and comes back at once.
harm_server_restarted() {
	harm_server_killed_in "$1"
	harm_server_start "$HARM_N"
}

harm_server_killed_in() {
	harm_reach "$1" KILL "${LAB_SERVER_PID[$HARM_N]}"
	wait "${LAB_SERVER_PID[$HARM_N]}" 2>/dev/null
	unset "LAB_SERVER_PID[$HARM_N]"
	harm_lost
}

# Its memcached stands still, then goes on with what it had been sent.  Clients write nothing
# meanwhile: for what a stalled server does with commands that were given up nobody answers
# (libmcroster(3)); those of movers are meant here.
harm_server_stopped() {
	lab_load read
	harm_reach "$1" STOP "${LAB_SERVER_PID[$HARM_N]}"
	sleep "$HARM_STOPPED_S"
	lab_server_cont "$HARM_N"
	lab_load run
}

harm_agent_killed() {
	harm_reach "$1" KILL "${LAB_AGENT_PID[$HARM_N]}"
	lab_agent_reap "$HARM_N"
	lab_agent_start "$HARM_N"
}

# Stopped until its lease is over, its host's clients get no plans any more, and every time-out is over.
harm_agent_stopped() {
	local before over
	harm_reach "$1" STOP "${LAB_AGENT_PID[$HARM_N]}"
	over=$(($(lab_now_ms) + HARM_STOPPED_S * 1000))
	before=$(harm_refusals)
	lab_until 20 harm_more harm_refusals "$((before + 50))" || fail "a$HARM_N's clients go on"
	lab_until "$HARM_STOPPED_S" harm_over "$over"
	kill -CONT "${LAB_AGENT_PID[$HARM_N]}"
}
harm_over() { [ "$(lab_now_ms)" -ge "$1" ]; }

# Another client has its keys dumped without end, so that its crawler is busy; until the change is over.
harm_crawler_taken() {
	local n=$HARM_N
	harm_reach "$1" CONT "${LAB_SERVER_PID[$n]}"
	exec {crawl}<>"/dev/tcp/$LAB_NET.$n/$LAB_SERVER_PORT" || fail "no connection to s$n"
	cat <&"$crawl" >/dev/null &
	LAB_BESIDE+=("$!")
	while printf 'lru_crawler metadump hash\r\n%.0s' {1..50} >&"$crawl"; do :; done 2>/dev/null &
	LAB_BESIDE+=("$!")
	exec {crawl}>&-
	lab_until 60 harm_status_has "$n" anothercrawlrunsthere || fail "the mover of s$n never found it busy"
}
harm_status_has() { [[ $(lab_status_json "$1") = *"$2"* ]]; }

# Keys that somebody recomputes: one marked stale, one reserved by an application, one of which an
# application has won the recache.  The first two are gone afterwards, so that whoever asks next
# recomputes them; the third is a value like any other.
harm_keys_recomputed() {
	local key n=$HARM_N
	harm_reach "$1" CONT "${LAB_SERVER_PID[$n]}"
	for key in stale reserved won; do HARM_KEY[$key]=$(harm_key_moving "$key"); done
	lab_memcached "$n" "set ${HARM_KEY[stale]} 0 0 3" old >/dev/null
	lab_memcached "$n" "md ${HARM_KEY[stale]} I T300" >/dev/null
	lab_memcached "$n" "mg ${HARM_KEY[reserved]} N300 c" >/dev/null
	lab_memcached "$n" "set ${HARM_KEY[won]} 0 60 3" new >/dev/null
	check "an application wins the recache" grep -q ' W' <(lab_memcached "$n" "mg ${HARM_KEY[won]} R300 c")
}
harm_keys_recomputed_checked() {
	local key n
	for key in stale reserved; do
		for n in 1 2 3 4; do
			check "the $key key is not on s$n" equal "$(lab_memcached $n "mg ${HARM_KEY[$key]} s")" EN
		done
	done
	n=$1
	check "the won one has moved to s$n" equal "$(lab_memcached "$n" "get ${HARM_KEY[won]}" | sed -n 2p)" new
}
declare -A HARM_KEY=()

# A key whose name begins so and that moves from host N to the new owner, while a change runs.
harm_key_moving() {
	"$BUILD/mcadmin" route --segment "$(lab_segment 1)" "$1":{1..200} | awk -v from="s$HARM_N" \
		-v to="s${HARM_HOST[destination]}" '!found && $3 == from && index($0, " " to " ") {
			print $1
			found = 1
		}'
}

# A process full of clients is killed while one of them stands between two commands of a write.
harm_client_killed() {
	lab_load "kill $HARM_VICTIM $1"
	check "a client is killed between its two commands in ${1^^}" equal "$LAB_ANSWER" killed
	HARM_VICTIM=$((HARM_VICTIM + 1)) HARM_KILLED=$((HARM_KILLED + 1))
}

# The same is stopped there, for longer than every time-out; it goes on when the change is through.
harm_client_stopped() {
	lab_load "stop $HARM_VICTIM $1"
	check "a client is stopped between its two commands in ${1^^}" equal "$LAB_ANSWER" stopped
	HARM_STOPPED+=("$HARM_VICTIM")
	HARM_VICTIM=$((HARM_VICTIM + 1))
	HARM_STOPPED_OVER=$(($(lab_now_ms) + HARM_STOPPED_S * 1000))
}
HARM_STOPPED=() HARM_STOPPED_OVER= HARM_BOUND=
harm_clients_continue() {
	local number
	[ ${#HARM_STOPPED[@]} != 0 ] || return 0
	lab_until "$HARM_STOPPED_S" harm_over "$HARM_STOPPED_OVER"
	for number in "${HARM_STOPPED[@]}"; do
		lab_load "continue $number"
		check "client $number goes on" equal "$LAB_ANSWER" continued
	done
	HARM_STOPPED=()
}
