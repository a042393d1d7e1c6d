#!/usr/bin/env bash
# The stale checker sees the faults that show only now and then.  A client that is as slow as one of
# these, but holds to the rules, has none; nor has one that gives commands up at a server that stands
# still, and those that are proven to have been executed later are counted apart.
# shellcheck source=tests/checker/stale.sh
. "$(dirname "$0")/../../checker/stale.sh"

STALE_RESIZES_MAX=60

# None of what the checker reports is wrong.
none_wrong() {
	local name
	lab_load report
	for name in stale missed foreign; do
		[ "$(lab_load_number $name)" = 0 ] || sed -n '/VIOLATION/,$p' "$LAB/load.log" >&2
		check "$name: 0" equal "$(lab_load_number $name)" 0
	done
}

# shellcheck disable=SC2317
given_up() {
	lab_load report
	[ "$(lab_load_number given_up)" -ge "$1" ]
}

stale_lab
say "clients that are slow now and then, and hold to the rules"
stale_checker 20000 --readers 5 --writers 5 --rate 20000 --plant slow
for _ in 1 2 3 4 5 6 7 8; do stale_resize; done
stale_rest
none_wrong

say "a server that stands still for longer than an operation may take"
lab_load_stop
stale_checker 20000 --readers 5 --writers 5 --rate 20000
for still in 5 10; do
	stopped=${STALE_SERVERS[1]}
	stale_resize_start
	lab_server_stop "$stopped"
	lab_until 60 given_up $still || fail "the clients give no command up at a server that stands still"
	lab_server_cont "$stopped"
	stale_resize_wait
done
stale_rest
none_wrong
say "  $(lab_load_number given_up) commands given up, $(lab_load_number late) reads and updates late"

say "clients with a fault"
stale_caught stubs 'foreign' "a read that shows reservations"
stale_caught late 'stale|missed' "a slow client that looks at no deadline"
# A set in DRAIN that comes to the new owner before it is gone at the old one: the mover takes what it
# finds at both for a copy that is older than the old owner's, and deletes it there.
stale_caught order 'stale|missed' "a write whose steps come in the wrong order"
