#!/usr/bin/env bash
# Dead servers: given up by a signed order while their keys are copied, and by a line of the next
# list.  The change goes on without them, what only they had is lost as misses, nothing is stale.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=6000
LAB_RATE=100

lab_start 3
lab_load_start $KEYS "1 3" --readers 4 --writers 2 --rate 2000
lab_load fill
lab_load run
lab_server_start 4
lab_agent_start 4
lab_conf 1 2 3 4
lab_push_start "" 80

say "s2 dies with its host while its keys are copied"
lab_wait_progress 2 COPY
lab_server_kill 2
lab_agent_kill 2
lab_load "killed $(lab_server_address 2)"
check "what nobody else holds: ${LAB_ANSWER#lost } keys" between 1 "${LAB_ANSWER#lost }" $KEYS
lab_wait_for a2,servers2
refused "excuse: it waives no work" 3 "COPY" lab_order excuse a2
lab_order giveup s2 --json >"$LAB/order.json" 2>"$LAB/order.err" || fail "giveup: $(cat "$LAB/order.err")"
check "giveup --json: $(cut -c1-60 "$LAB/order.json")" /usr/bin/python3 -c 'import json, sys
j = json.loads(open(sys.argv[1]).read().splitlines()[-1])
sys.exit(j["result"] not in ("accepted", "settled") or j["order"]["order"] != "giveup" or j["reason"] is not None)' "$LAB/order.json"
refused "giveup of the same again" 3 "given up already" lab_order giveup s2
refused "giveup of a server that is not in the change" 3 "s9" lab_order giveup s9
check "the change goes through" lab_push_wait
check "GIVEUP was passed" lab_passed "1 to 2" GIVEUP
lab_until 20 lab_settled 2 || fail "not settled"
lab_load_zeros

say "the next list leaves it out: it waits for the dead host"
lab_conf 1 3 4
LAB_LIST_EDIT="s/^slots /giveup s2 $(lab_server_address 2)\n&/"
lab_push_start "" 60
lab_wait_for agenta2
check "status shows what is given up" [ "$(lab_status_json 1 | grep -c '"given_up":\["s2"\]')" = 1 ]
lab_ordered excuse a2
check "the change goes through" lab_push_wait
check "GIVEUP was passed" lab_passed "2 to 3" GIVEUP
lab_load pause
lab_load verify
lab_load_zeros
say "lost with s2: $(lab_load_number lost) reads, $(lab_load_number reads_failed) failed"
check "what s2 held is lost" between 1 "$(lab_load_number lost)" 1000000
lab_inspect_zeros
