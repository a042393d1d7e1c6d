# shellcheck shell=bash
# etcd_phases.sh - in each phase of a change the leading one of three candidates comes to harm:
# what the scenarios 66-* have in common.
#
# Sourced after lab.sh and etcd.sh.  The scenario defines, for the agent N that was just stopped:
#   harm_begins N    what becomes of it
#   harm_ends N      and how it is put right, after another one leads

PHASES_KEYS=8000
LAB_RATE=400
LAB_ISOLATION=bypass # what is away longer than its lease is not to be read by
LAB_ETCD_LEASE_S=3

# harmed_in PHASE...: in each of them, in this order.
harmed_in() {
	local phase n began_ms
	for phase in "$@"; do
		etcd_led
		n=$LAB_COORDINATOR
		etcd_stop_in "$n" "$phase"
		began_ms=$(lab_now_ms)
		harm_begins "$n"
		# shellcheck disable=SC2046 # one word for each
		etcd_led_since "$began_ms" $(others "$n")
		harm_ends "$n"
	done
}

# phases_change EPOCH HOST... -- PHASE...: a change to these hosts, harmed in the phases.
phases_change() {
	local epoch=$1 hosts=()
	while shift && [ "$1" != -- ]; do hosts+=("$1"); done
	shift
	lab_conf "${hosts[@]}"
	lab_push_start 5 280 # through one who is no candidate
	harmed_in "$@"
	lab_until 90 lab_settled "$epoch" || fail "the cluster does not settle"
	say "  ok: the cluster is settled under epoch $epoch"
	check "who asked for the change is told" lab_push_wait
}

phases_start() {
	etcd_lab_start
	lab_load_start $PHASES_KEYS "1 2 3" --readers 4 --writers 2 --rate 1500
	lab_load fill
	lab_server_start 4
	lab_agent_start 4
	lab_load run
}

# A phase may go by while the one who was harmed in the phase before is away: hence several changes.
phases_all() {
	phases_start
	say "s4 joins"
	phases_change 2 1 2 3 4 a5 -- prepare COPY switch
	say "s4 leaves"
	phases_change 3 1 2 3 a4 a5 -- settle
	say "s4 joins again"
	phases_change 4 1 2 3 4 a5 -- DRAIN
	say "s4 leaves again"
	phases_change 5 1 2 3 a4 a5 -- PURGE
	lab_load pause
	lab_load verify
	lab_load_zeros
	lab_inspect_zeros
	etcd_history_checked
	check "each time another one took over" between 7 "$(lab_status term)" 100
}
