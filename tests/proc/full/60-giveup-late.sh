#!/usr/bin/env bash
# A new owner that dies while keys are copied to it is given up: what would go there is lost and
# counted.  A source is given up in DRAIN while only its agent is gone: what it still holds is never
# read, and is not wiped by surprise when it is to gain keys again.  One dies in DRAIN altogether.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"

KEYS=6000
LAB_RATE=150

# drained WHAT: of the keys that were still at their old owners in DRAIN, so many are found, gone, ...
drained() {
	sed -n "s/^s[123]: DRAIN done: \(.* \)\?\([0-9]*\) $1,.*/\2/p" "$LAB"/[123]/agent.log |
		awk '{ sum += $1 } END { print sum + 0 }'
}

lab_start 3
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 2000
lab_load fill
lab_load run
lab_server_start 4
lab_agent_start 4
lab_conf 1 2 3 4
lab_push_start "" 80

say "s4 dies with its host while keys are copied to it"
lab_wait_progress 2 COPY
lab_load "evicts $(lab_server_address 4)"
lab_server_kill 4
lab_agent_kill 4
lab_ordered giveup s4
check "the change goes through" lab_push_wait
lab_settled 2 || fail "not settled"
failed=$(drained failed)
check "what would have gone there is counted as failed" equal "$failed" \
	$(($(drained found) - $(drained gone) - $(drained expired)))
# Fewer than its share: a write that cannot invalidate what may be there deletes the key everywhere.
check "by status too" between 100 "$failed" "$(lab_status change_keys_failed)"
check "GIVEUP is not for a new owner" equal "$(grep -c ': GIVEUP ' "$LAB/1/agent.log")" 0
lab_conf 1 2 3
LAB_LIST_EDIT="s/^slots /giveup s4 $(lab_server_address 4)\n&/"
lab_push_start "" 60
lab_wait_for agenta4
lab_ordered excuse a4
check "the next list leaves it out" lab_push_wait
LAB_LIST_EDIT=
lab_load_zeros
lab_load fill
lab_load whole
lab_load run

say "it is back, empty; s2 is given up in DRAIN though only its agent is gone"
lab_server_start 4
lab_agent_start 4
lab_conf 1 2 3 4
lab_push_start "" 80
lab_kill_in 2 drain 3 # before it has removed much
lab_load "killed $(lab_server_address 2)" # it answers, but will be read no more
lab_wait_for a2,servers2
lab_ordered giveup s2
check "the change goes through" lab_push_wait
check "GIVEUP was passed" lab_passed "3 to 4" GIVEUP
lab_agent_start 2
lab_load pause
lab_load verify
lab_load_zeros
for i in {1..150}; do lab_memcached 2 "set past:the:list:$i 0 0 1" x >/dev/null; done
lab_inspect
left=$(lab_inspected misplaced 'server s2 ')
check "s2 holds keys that are not its own" between 50 "$left" $KEYS

say "s2 is to gain keys again"
lab_load run
lab_conf 1 2 3
LAB_LIST_EDIT=
lab_change "" 60
check "the change is refused: more than 1 % would be wiped" equal $? 3
say "      $(tail -n 1 "$LAB/push.log" | cut -c1-300)"
lab_until 20 lab_settled 4 || fail "not settled under epoch 4"
counted=$(sed -nE '1,/items belong/s/.*server s2 [^ ]*: ([0-9]+) of .*wipe=\1 .*/\1/p' "$LAB/push.log")
lab_inspect # some have expired meanwhile, some were deleted there by clients
check "with the count" between "$(lab_inspected misplaced 'server s2 ')" "${counted:-0}" "$left"
LAB_LIST_EDIT="s/^server s2 .*/& wipe=$KEYS/"
lab_push_start "" 60
say "s4, which leaves, dies in DRAIN"
lab_wait_segment 1 drain 4
lab_server_kill 4
lab_agent_kill 4
lab_load "killed $(lab_server_address 4)"
lab_wait_for a4,servers4
lab_ordered giveup s4
check "signed with wipe, and without s4, it goes through" lab_push_wait
check "GIVEUP was passed" lab_passed "4 to 6" GIVEUP
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros
