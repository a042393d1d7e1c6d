#!/usr/bin/env bash
# What is already going on in a memcached when its keys are to move: another client keeps its crawler
# busy without end; items are being recomputed; its hash table grows while it is dumped.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/harm.sh
. "$(dirname "$0")/../../lab/harm.sh"

harm_fleet
say "items that somebody recomputes"
harm_change source keys_recomputed COPY
harm_keys_recomputed_checked 4
harm_change
harm_change source keys_recomputed DRAIN
harm_keys_recomputed_checked 4
harm_change

say "another crawler"
harm_change source crawler_taken COPY

say "hash tables that grow while they are dumped"
HARM_KEYS=60000 HARM_RATE=0 HARM_EMPTY=yes
for n in 1 2 3 4; do HARM_ARGUMENTS[$n]="-o hashpower=12"; done
harm_fleet
before=$(lab_server_stat 2 hash_power_level)
lab_load pause
lab_load_begin fill
harm_change_begin
lab_load_answer
check "the keys are stored" equal "$LAB_ANSWER" filled
harm_change_end
check "s2's table has grown from 2^$before buckets" between $((before + 1)) \
	"$(lab_server_stat 2 hash_power_level)" 30
