#!/usr/bin/env bash
# The Python binding: its tests, beside real memcacheds and a segment of their own; its types, its example, and
# a client under load on a real cluster that gains a server and loses it again.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

# What a host on a busy machine can hold.
LAB_LEASE_MS=5000 LAB_STEADY_LEASE_MS=10000 LAB_OP_TIMEOUT_MS=1000
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$top/bindings/python MCROSTER_LIBRARY=$BUILD/libmcroster.so
preload=()
case $BUILD in
*/plain) ;;
*) preload=(env "LD_PRELOAD=$(gcc -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0) ;;
esac
python() { "${preload[@]}" /usr/bin/python3 "$@"; }

lab_start 3
python "$top/bindings/python/tests/test_mcroster.py" >"$LAB/tests.log" 2>&1 || fail "its tests"
say "  ok: its tests: $(tail -n 1 "$LAB/tests.log")"
check "its types" mypy --python-executable /usr/bin/python3 --cache-dir "$LAB/mypy" --ignore-missing-imports \
	--disallow-untyped-defs --check-untyped-defs "$top/bindings/python/mcroster"
check "the example says what it read" equal \
	"$(python "$top/bindings/python/examples/greeting.py" "$(lab_segment 1)" 2>&1)" "good morning"

coproc LOAD { exec "${preload[@]}" /usr/bin/python3 "$top/bindings/python/tests/load.py" \
	"$(lab_segment 1)" "$(lab_segment 2)" 2>>"$LAB/load.log"; }
# shellcheck disable=SC2153,SC2034 # coproc sets LOAD_PID; LOAD is used below
LAB_BESIDE+=("$LOAD_PID")
read -r -t 60 -u "${LOAD[0]}" answer
check "the load runs" equal "$answer" running
lab_server_start 4
lab_agent_start 4
lab_conf 1 2 3 4
check "s4 joins" lab_change
lab_conf 1 3 4
check "s2 leaves" lab_change
end=${LOAD[1]}
exec {end}>&-
read -r -t 60 -u "${LOAD[0]}" answer
say "  $answer"
check "nothing was stale, missed or unfinished" grep -Eq '^reads [0-9]{3,} writes [0-9]{3,} stale 0 missed 0$' \
	<<<"$answer"
