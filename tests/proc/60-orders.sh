#!/usr/bin/env bash
# Abort and excuse: what holds a change up in PREPARE is waited for, excused, or the change is undone;
# undone in COPY, nothing is left of the copies.  Orders that are not good are refused by the rule.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=12000
LAB_RATE=300
LAB_OPERATORS=(operator second third)
LAB_THRESHOLD=2

register() { lab_status term && lab_status serial && lab_status phase; }
push() { # DOCUMENT [AGENT]
	"$BUILD/mcadmin" push "$1" --agent "$(lab_agent_socket "${2:-1}")" --timeout 20 --json
}
made() { # FILE COMMAND...: signed and kept, for later
	local file=$1
	shift
	lab_order "$@" -o "$file" >"$LAB/order.log" 2>&1 || fail "mcadmin $*: $(tail -n 3 "$LAB/order.log")"
}
unsigned() { sed '/^signature /d' "$1"; }
undone() { # the push that waits for the change
	lab_push_wait
	check "the push ends: the change was undone" equal $? 3
	say "      $(tail -n 1 "$LAB/push.log" | cut -c1-220)"
	lab_until 20 lab_settled 1 || fail "the cluster does not settle under epoch 1"
	say "  ok: settled under epoch 1 again"
}

lab_new
for n in 1 2 3; do
	lab_server_start "$n"
	lab_agent_start "$n"
done
lab_agent_start 5 # no server
lab_first_list 1 2 3 a5
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 3000
lab_load fill
lab_load run
lab_server_start 4
lab_agent_start 4
lab_agent_kill 5

say "PREPARE waits for an agent that is away"
lab_conf 1 2 3 4 a5
lab_push_start 2
lab_wait_segment 4 prepare
lab_wait_for agenta5

say "orders that are not good"
register >"$LAB/register.before"
made "$LAB/excuse" excuse a5
made "$LAB/abort" abort
unsigned "$LAB/abort" >"$LAB/bad"
refused "an order without signature" 3 "sign" push "$LAB/bad"
lab_sign "$LAB/bad" operator >/dev/null
refused "an order signed by one of the two" 3 "signed by 1 " push "$LAB/bad"
tail -n 1 "$LAB/bad" >"$LAB/line" && cat "$LAB/line" >>"$LAB/bad"
refused "an order signed twice by one" 3 "signs twice" push "$LAB/bad"
for at in 5 70 140 300 -30 -3; do
	cp "$LAB/abort" "$LAB/bad"
	[ "$at" -ge 0 ] || at=$(($(stat -c %s "$LAB/abort") + at))
	byte=$(dd if="$LAB/bad" bs=1 skip="$at" count=1 2>/dev/null | od -An -tu1 | tr -d ' ')
	# shellcheck disable=SC2059 # the escape is the byte
	printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$LAB/bad" bs=1 seek="$at" conv=notrunc 2>/dev/null
	refused "an order with byte $at changed" 3 . push "$LAB/bad" 2
done
forged() { # WHAT PATTERN SED-SCRIPT: well signed, but for another register
	unsigned "$LAB/abort" | sed -E "$3" >"$LAB/bad"
	lab_sign "$LAB/bad" operator third >/dev/null || fail "$1 cannot be signed"
	refused "an order $1" 3 "$2" push "$LAB/bad" 3
}
forged "for another serial" "serial" "s/^serial .*/serial 99/"
forged "for another term" "term" "s/^term .*/term 7/"
forged "for another phase" "phase" "s/^phase .*/phase COPY/"
forged "of another cluster" "other" "s/^cluster .*/cluster other/"
forged "for another pending list" "pending" "s/^pending .*/pending $(printf '%064d' 0)/"
refused "giveup of a server that is not sanitised" 3 "abort the change" lab_order giveup s4
refused "excuse of an agent that is not there" 3 "a9" lab_order excuse a9
register >"$LAB/register.after"
check "the register has not moved" diff "$LAB/register.before" "$LAB/register.after"

say "abort in PREPARE"
check "the order is taken through another agent" push "$LAB/abort" 3
undone
check "status says why" equal "$(lab_status_json 1 | grep -c 'abortedbyasignedorder')" 1
refused "the same order again" 3 "phase|pending|serial|change" push "$LAB/abort"
refused "an order of before the abort" 3 "phase|pending|serial|change" push "$LAB/excuse"
refused "abort while settled" 3 "no change" lab_order abort

say "excuse in PREPARE, abort in COPY"
lab_push_start 3
lab_wait_for agenta5
lab_ordered excuse a5
lab_wait_progress 2 COPY
lab_ordered abort
undone
refused "an excuse of a change that is over" 3 "pending|phase|serial" push "$LAB/excuse"
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros "$(lab_server_address 4)"
check "no copy is left on s4" equal "$(lab_inspected keys 'server (left)')" 0

say "and then it goes through"
lab_load run
lab_agent_start 5
check "the change goes through" lab_change 2
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros
