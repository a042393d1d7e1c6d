#!/usr/bin/env bash
# Threads that share a pool of libmcroster-memcached, under ThreadSanitizer, while a server joins and
# another leaves: nothing stale, nothing missed, no race.  21-add-remove.sh has the same under the
# sanitizers of the other build.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

LAB_LOADER=$top/build/thread/tests/client/load
[ -x "$LAB_LOADER" ] || { echo "no build/thread: make check builds it"; exit 77; }
export TSAN_OPTIONS=halt_on_error=1
# ThreadSanitizer takes its time.
LAB_LEASE_MS=5000 LAB_STEADY_LEASE_MS=10000 LAB_OP_TIMEOUT_MS=1000

lab_start 3
lab_load_start 3000 1 --readers 4 --writers 4 --rate 2000
lab_load fill
lab_load run
lab_server_start 4
lab_agent_start 4
lab_conf 1 2 3 4
check "s4 joins" lab_change
lab_conf 1 3 4
check "s2 leaves" lab_change
lab_load pause
lab_load verify
lab_load_zeros
check "reads ran while keys moved" between 100 "$(lab_load_number reads_moving)" 100000000
check "writes ran while keys moved" between 100 "$(lab_load_number writes_moving)" 100000000
lab_load_stop
check "no race" [ "$(grep -c 'WARNING: ThreadSanitizer' "$LAB/load.log")" = 0 ]
