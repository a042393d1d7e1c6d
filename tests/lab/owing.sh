# shellcheck shell=bash
# owing.sh - clients that are cut off from one server, in a network namespace of their own, and the
# agent of their host, which owes what they could not delete: the steps that the scenarios 57-* share.
#
# Sourced after lab.sh and netns.sh.  Hosts 1 to 3 have servers, s4 may join.  The clients are on host
# 1, which reaches everybody, and on host 5, which has an agent and no server.

OWING_KEYS=2000
LAB_ISOLATION=bypass # a host that is starved of time and loses its lease is not to serve an old list

# lab_cut_off N SERVER...: no packet of host N reaches these hosts any more; lab_reach: they do.
lab_cut_off() {
	local n=$1 server
	shift
	for server in "$@"; do
		ip -n "$(lab_netns_name "$n")" route add blackhole "$LAB_NET.$server/32" || fail "ip route"
	done
}
lab_reach() {
	local n=$1 server
	shift
	for server in "$@"; do
		ip -n "$(lab_netns_name "$n")" route del blackhole "$LAB_NET.$server/32" || fail "ip route"
	done
}

# owing N FIELD: how much agent aN owes (FIELD ""), or another field of it ("_max"), whoever's view it
# shows.
owing() {
	local asked
	asked=$(lab_status "-$1" asked)
	lab_status "-$1" "${asked:+asked_}owed${2:-}"
}
owes_at_least() { [ "$(owing "$1")" -ge "$2" ] 2>/dev/null; }
owes_nothing() { [ "$(owing "$1")" = 0 ]; }
refused_some() { [ "$(owing "$1" _refused)" -gt 0 ]; }
loaded() { # NAME: a number of the load's report, now
	lab_load report
	lab_load_number "$1"
}
more_of() { [ "$(loaded "$1")" -gt "$2" ]; }

# owing_starts [LINE...]: everything is up and the load runs; LINE...: of host 5's agent.conf.
owing_starts() {
	local n
	lab_netns_able
	lab_new
	lab_netns_start 1 2 3 4 5
	lab_agent_conf 5
	[ $# = 0 ] || printf '%s\n' "$@" >>"$LAB/5/agent.conf"
	for n in 1 2 3 5; do
		# With one thread what a client gave up is executed behind later commands only where its
		# connection had yet to be accepted; the load tells such values (tests/client/late.h).
		[ "$n" = 5 ] || lab_server_start "$n" -t 1
		lab_agent_start "$n"
	done
	lab_first_list 1 2 3 a5
	lab_load_start $OWING_KEYS "" --readers 2 --writers 2 --rate 1000 --apart \
		--segment "$(lab_segment 1)" --netns "$(lab_netns_name 1)" \
		--segment "$(lab_segment 5)" --netns "$(lab_netns_name 5)"
	lab_load fill
	lab_load run
}

# owing_cut SERVER...: host 5 is cut off from them, and its agent owes something.
owing_cut() {
	local before
	before=$(loaded writes_owed)
	lab_cut_off 5 "$@"
	lab_until 30 more_of writes_owed $((before + 20)) || fail "clients hand nothing over"
	lab_until 10 owes_at_least 5 10 || fail "agent a5 does not show what it owes"
	say "  ok: host 5 is cut off from s${*// / s}: agent a5 owes $(owing 5) keys of $(owing 5 _max)," \
		"$(owing 5 _bytes) bytes"
}

# owing_ends: nothing is owed any more, and from now on nobody reads what was there before.
owing_ends() {
	lab_load pause
	lab_until 60 owes_nothing 5 || fail "agent a5 still owes $(owing 5) keys"
	lab_load settle
	say "  ok: host 5 reaches everybody, and nothing is owed any more"
	lab_load verify
	lab_load_not_stale
	lab_inspect_zeros
	say "      reads checked: $(lab_load_number reads), stale: $(lab_load_number stale)," \
		"writes owed: $(lab_load_number writes_owed), failed: $(lab_load_number writes_failed)," \
		"not completed: $(lab_load_number writes_incomplete)"
	lab_load run
}

# owing_killed: agent a5 is killed while it owes, and has the same to do when it is back.
owing_killed() {
	local owed before
	owed=$(owing 5)
	lab_agent_kill 5
	before=$(loaded writes_incomplete)
	lab_until 30 more_of writes_incomplete "$before" || fail "without an agent writes are complete"
	say "  ok: agent a5 is killed: clients that hand over get no answer, and their writes fail"
	lab_agent_start 5
	check "it is back, and owes the $owed keys still" owes_at_least 5 "$owed"
	lab_wait_segment 5 steady
}

# owing_change CUT: s4 joins while host 5 is cut off from server CUT, from before PREPARE to after
# the end.
owing_change() {
	local cut=$1 before
	[ "$cut" != 4 ] || lab_cut_off 5 4
	[ "$cut" = 4 ] || owing_cut "$cut"
	before=$(loaded writes_owed)
	lab_conf 1 2 3 4 a5
	lab_push_start 1 120
	check "s4 joins while host 5 does not reach s$cut" lab_push_wait
	lab_load report
	check "clients handed keys over in it" between $((before + 1)) "$(lab_load_number writes_owed)" 1000000
	check "writes ran while keys moved" between 100 "$(lab_load_number writes_moving)" 1000000
	lab_until 10 owes_at_least 5 1 || fail "agent a5 owes nothing"
	check "agent a5 owes $(owing 5) keys in the new list's steady phase" owes_at_least 5 1
	lab_reach 5 "$cut"
	owing_ends
}
