#!/usr/bin/env bash
# The checker itself: what is done to items behind its back shows in its counts, each under its name.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

lab_start 2
lab_load_start 2000 "1 2" --readers 1 --writers 1
lab_load fill

# Five counters with plain keys, and where they lie.
keys=() homes=() flags=()
for ((index = 105; index < 2000 && ${#keys[@]} < 5; index += 20)); do
	key=user:$index/profile
	for n in 1 2; do
		read -r _ _ flag _ < <(lab_memcached "$n" "get $key" | grep '^VALUE')
		[ -n "$flag" ] || continue
		keys+=("$key") homes+=("$n") flags+=("$flag")
	done
done
check "five counters to play with" equal ${#keys[@]} 5
value() { lab_memcached "${homes[$1]}" "get ${keys[$1]}" | sed -n 2p; }
store() { lab_memcached "${2:-${homes[$1]}}" "set ${keys[$1]} ${flags[$1]} 0 ${#3}" "$3" >/dev/null; }
drop() { lab_memcached "${homes[$1]}" "delete ${keys[$1]}" >/dev/null; }
counts() { # STALE MISSED FOREIGN
	lab_load verify
	lab_load report
	check "$4" equal \
		"$(lab_load_number stale) $(lab_load_number missed) $(lab_load_number foreign)" "$1 $2 $3"
}

check "a counter begins at 1" equal "$(value 0)" 1
counts 0 0 0 "nothing wrong at first"
lab_load fill
check "the second write makes it 2" equal "$(value 0)" 2
store 0 "" 1
counts 1 0 0 "an old value put back is stale"
drop 1
counts 2 1 0 "a key taken away is missed"
store 2 "" 77x
counts 3 2 1 "a value that nobody wrote is foreign"
drop 3
lab_memcached "${homes[3]}" "mg ${keys[3]} N60 c" >/dev/null
counts 4 3 3 "a reservation that a reader sees is foreign"
lab_inspect
check "it is a reservation to the inspector" equal "$(lab_inspected stubs)" 1
check "no key is misplaced" equal "$(lab_inspected misplaced)" 0
store 4 $((3 - homes[4])) 2
lab_inspect
check "a key on the wrong server is misplaced" equal "$(lab_inspected misplaced)" 1
lab_load fill
counts 4 3 3 "written again, all is well"
