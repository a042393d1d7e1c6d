#!/usr/bin/env bash
# The stale checker for ten seconds while servers come and go; then clients with faults of their own,
# each of which it has to see.  `make stale SECONDS=3600` is the long run; full/26-stale-faults.sh has
# the faults that take longer.
# limit: 600
# shellcheck source=tests/checker/stale.sh
. "$(dirname "$0")/../checker/stale.sh"

RUN_MS=10000

stale_lab
say "clients that hold to the rules"
stale_checker 20000 --readers 5 --writers 5 --rate 10000
end=$(($(lab_now_ms) + RUN_MS))
while [ "$(lab_now_ms)" -lt "$end" ] && ! stale_violated; do stale_resize; done
stale_rest
lab_load report
for name in stale missed foreign; do
	[ "$(lab_load_number $name)" = 0 ] || sed -n '/VIOLATION/,$p' "$LAB/load.log" >&2
	check "$name: 0" equal "$(lab_load_number $name)" 0
done
check "resizes that went through" between 1 $STALE_RESIZES 1000
check "reads checked while keys moved" between 10000 "$(lab_load_number reads_moving)" 100000000
check "writes while keys moved" between 1000 "$(lab_load_number writes_moving)" 100000000
for name in sets adds incrs cas deletes; do
	check "$name" between 100 "$(lab_load_number $name)" 100000000
done
say "stale: $(lab_load_number reads) reads checked, $(lab_load_number writes) writes," \
	"$STALE_RESIZES resizes, $(lab_load_number stale) stale"

say "clients with a fault"
stale_caught delete 'stale' "a delete at the old owner alone"
stale_caught second 'stale' "a write without its second step"
stale_caught fallback 'missed' "a read that asks no second server"
