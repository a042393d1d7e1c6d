#!/usr/bin/env bash
# An agent that stays away longer than its lease, with `isolation serve`: its host's clients go on by
# the last phase they saw.  That is outside the guarantee: what it costs is measured and printed.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=12000
LAB_RATE=500

lab_new
for n in 1 2 3; do
	lab_server_start "$n"
	lab_agent_start "$n"
done
lab_agent_start 5
lab_first_list 1 2 3 a5
lab_load_start $KEYS "1 2 3 5" --readers 4 --writers 4 --rate 3000
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
lab_conf 1 2 3 4 a5
lab_push_start "" 120
lab_wait_segment 5 copy
lab_agent_kill 5
check "the change goes through without a5" lab_push_wait
lab_load report
say "while a5's host served by COPY alone: $(lab_load_number reads) reads, $(lab_load_number stale) stale, $(lab_load_number missed) missed"
check "nobody was refused" equal "$(lab_load_number reads_refused)" 0
lab_agent_start 5
lab_wait_segment 5 steady 2
lab_load pause
