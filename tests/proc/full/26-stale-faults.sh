#!/usr/bin/env bash
# The stale checker sees the faults that show only now and then; and a client that is as slow as one of
# these, but holds to the rules, has none.
# shellcheck source=tests/checker/stale.sh
. "$(dirname "$0")/../../checker/stale.sh"

STALE_RESIZES_MAX=60

stale_lab
say "clients that are slow now and then, and hold to the rules"
stale_checker 20000 --readers 5 --writers 5 --rate 20000 --plant slow
for _ in 1 2 3 4 5 6 7 8; do stale_resize; done
stale_rest
lab_load report
for name in stale missed foreign; do
	[ "$(lab_load_number $name)" = 0 ] || sed -n '/VIOLATION/,$p' "$LAB/load.log" >&2
	check "$name: 0" equal "$(lab_load_number $name)" 0
done

say "clients with a fault"
stale_caught stubs 'foreign' "a read that shows reservations"
stale_caught late 'stale|missed' "a slow client that looks at no deadline"
stale_caught order 'stale' "a write whose steps come in the wrong order"
