#!/usr/bin/env bash
# The coordinator's state is lost for good: a signed failover order makes another agent coordinate,
# with the old register file and without, settled and in the middle of a change.  A coordinator that
# comes back from a backup coordinates no more.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"

KEYS=6000
LAB_RATE=150

coordinates() { # N TERM HOST...: it is the coordinator, the hosts hold its leases
	local n=$1 term=$2 host
	[ "$(lab_status -"$n" view) $(lab_status -"$n" coordinator) $(lab_status -"$n" term)" = "cluster a$n $term" ] || return 1
	shift 2
	for host in "$@"; do
		[ "$(lab_status -"$host" coordinator)" = "a$n" ] && lab_leased "$host" || return 1
	done
}
goes_on() { # N TERM HOST...
	LAB_COORDINATOR=$1
	lab_until 30 coordinates "$@" || fail "a$1 does not coordinate: $(lab_status_json "$1" | cut -c1-600)"
	say "  ok: a$1 coordinates in term $2"
}
lost() { # N: its agent and all that it knew
	lab_agent_kill "$1"
	rm -rf "$LAB/backup.$1"
	mv "$LAB/$1/state" "$LAB/backup.$1"
}
failover() { # N: to it, asked there
	lab_until 20 not_led "$1" || fail "a$1 still sees a coordinator"
	LAB_COORDINATOR=$1 lab_ordered failover "a$1" --term asked
}
not_led() { [ "$(lab_status -"$1" view)" = local ]; }

lab_new
for n in 1 2 3; do
	lab_server_start "$n"
	lab_agent_start "$n"
done
lab_agent_start 5
lab_first_list 1 2 3 a5
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 2000
lab_load fill
lab_load run

say "settled, without the register file"
refused "failover while the coordinator is there" 3 "is there and grants" lab_order failover a2 --term asked
lost 1
failover 2
goes_on 2 2 3 5
lab_load_zeros

say "the old one comes back from a backup"
cp -a "$LAB/backup.1" "$LAB/1/state"
lab_agent_start 1
lab_until 20 grep -q "coordinates no more" "$LAB/1/agent.log" || fail "a1 does not say so: $(lab_status_json 1 | cut -c1-600)"
say "  ok: $(grep 'coordinates no more' "$LAB/1/agent.log" | tail -n 1)"
goes_on 2 2 3 5
lost 1
lab_agent_start 1 # as a new host
goes_on 2 2 1 3 5
lab_load_zeros

check "the old one gets nothing back: the list is the same" equal "$(grep -c 'handed over' "$LAB/2/agent.log")" 0

say "in COPY, with the register file"
lab_server_start 4
lab_agent_start 4
lab_conf 1 2 3 4 a5
lab_push_start 3 80
lab_wait_progress 3 COPY
lost 2
lab_agent_term 3
cp "$LAB/backup.2/register" "$LAB/3/state/register"
lab_agent_start 3
failover 3
lab_agent_start 2 # as a new host: its work is done again
goes_on 3 3 1 2 4 5
check "by the file" grep -q "the register .* goes on here in term 3" "$LAB/3/agent.log"
check "the change goes through" lab_push_wait
goes_on 2 4 1 3 4 5 # the new list names it, and it is there
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros

say "in DRAIN, without it"
lab_load run
lab_conf 1 2 3 a5
lab_push_start 5 80
lab_wait_segment 3 drain 2
lost 2
failover 1
lab_agent_start 2
goes_on 1 5 2 3 4 5
check "the change goes through" lab_push_wait
lab_load pause
lab_load verify
lab_load_not_stale
lab_inspect_zeros "$(lab_server_address 4)"
