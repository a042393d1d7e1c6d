#!/usr/bin/env bash
# mcadmin's orders and keys documents with agents: made for the register as it is, signed, offered,
# and what comes of them; and refused where they make no sense.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

says() { grep -Eq -- "$2" "$1" || { cat "$1" >&2 && return 1; }; } # FILE PATTERN
admin() { "$BUILD/mcadmin" "$@" >"$LAB/out" 2>"$LAB/err" </dev/null || { cat "$LAB/err" >&2 && return 1; }; }
object() { # FILE PYTHON: its last line is an object, of which the expression (of j) is true
	/usr/bin/python3 -c 'import json, sys
j = json.loads(open(sys.argv[1]).read().splitlines()[-1])
sys.exit(0 if eval(sys.argv[2]) else f"not so: {sys.argv[2]}: {j}")' "$@"
}
shows() { # PATTERN [AGENT]
	"$BUILD/mcadmin" status --agent "$(lab_agent_socket "${2:-1}")" >"$LAB/status" 2>/dev/null &&
		grep -Eq -- "$1" "$LAB/status"
}

# full_disk COMMAND...: with a full disk at $LAB/disk, on which a file `order` must stay as it is.
full_disk() {
	mkdir -p "$LAB/disk"
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --user --map-root-user --mount bash -c '
		mount -t tmpfs -o size=16k full "$0" && printf before >"$0/order" || exit 98
		dd if=/dev/zero of="$0/filler" bs=4096 status=none 2>/dev/null
		"$@"
		code=$?
		[ "$(cat "$0/order") $(ls -A "$0" | tr "\n" " ")" = "before filler order " ] || exit 99
		exit "$code"' "$LAB/disk" "$@"
}

LAB_RATE=200
lab_start 3
near=(--agent "$(lab_agent_socket 1)")
signed=(-k "$LAB/operator.key" "${near[@]}" --yes)

say "nothing is under way"
refused "an abort" 3 'no change is under way: epoch 1 is settled' "$BUILD/mcadmin" abort "${signed[@]}"
refused "a giveup" 3 'no change is under way' "$BUILD/mcadmin" giveup s1 "${signed[@]}"
refused "an excuse" 3 'no change is under way' "$BUILD/mcadmin" excuse a2 "${signed[@]}"
refused "a failover from a coordinator that is there" 3 'the coordinator a1 is there and grants leases' \
	"$BUILD/mcadmin" failover a2 --term asked "${signed[@]}"

say "a change that is aborted in COPY"
lab_load_start 6000 "1 2 3" --readers 1 --writers 1
lab_load fill
lab_conf 1 2 a3
lab_list_plan >"$LAB/plan.log" 2>&1 || fail "plan"
admin push "$LAB/list" "${near[@]}" --no-wait || fail "push"
lab_wait_segment 1 copy
refused "an excuse after PREPARE" 3 'is in COPY, which waits for no agent' "$BUILD/mcadmin" excuse a2 \
	"${signed[@]}"
refused "a giveup of a server that is not there" 3 "no server 's9'" "$BUILD/mcadmin" giveup s9 "${signed[@]}"
refused "an order that is written to a full disk" 1 'disk/order: No space left on device; it is as it was$' \
	full_disk "$BUILD/mcadmin" giveup s3 "${signed[@]}" -o "$LAB/disk/order"
check "an order is written for later" admin giveup s3 "${signed[@]}" -o "$LAB/giveup"
"$BUILD/mcadmin" keygen --no-passphrase -o "$LAB/stranger.key" >/dev/null
refused "an abort by a stranger's key" 3 'trusted keys' "$BUILD/mcadmin" abort -k "$LAB/stranger.key" \
	"${near[@]}" --yes
check "abort waits until the change is undone" admin abort "${signed[@]}" --timeout 60
check "it has said what is lost" says "$LAB/out" 'Nothing is lost'
check "and how it ended" says "$LAB/out" ': settled on epoch 1 again'
check "status says why" shows '^undone +aborted'
refused "an order for a register that has gone on" 3 'serial' "$BUILD/mcadmin" push "$LAB/giveup" "${near[@]}"

say "the same by apply, with an encrypted key, for programs"
printf 'some words of tests\n' >"$LAB/words"
chmod 600 "$LAB/words"
cp "$LAB/operator.key" "$LAB/sealed.key"
admin passphrase "$LAB/sealed.key" --passphrase-file "$LAB/words" || fail "passphrase"
sealed=(-k "$LAB/sealed.key" --passphrase-file "$LAB/words" "${near[@]}" --yes --json --timeout 60)
"$BUILD/mcadmin" apply "$LAB/cluster.conf" "${sealed[@]}" >"$LAB/apply.json" 2>"$LAB/apply.log" </dev/null &
applying=$!
LAB_BESIDE+=("$applying")
lab_wait_segment 1 copy
admin giveup s3 "${sealed[@]}" -o "$LAB/giveup.json.order" || fail "giveup -o"
check "giveup --json, into a file" object "$LAB/out" \
	"j['result'] == 'written' and j['order']['order'] == 'giveup' and j['file'].endswith('giveup.json.order')"
check "abort --json waits until the change is undone" admin abort "${sealed[@]}"
check "and says so" object "$LAB/out" \
	"j['result'] == 'undone' and j['order']['order'] == 'abort' and j['reason'] is None and j['seconds'] > 0"
lab_until 30 lab_gone "$applying" || fail "apply goes on"
wait "$applying"
check "apply's exit code says that it was undone" equal $? 3
check "and so does its object" object "$LAB/apply.json" \
	"j['result'] == 'undone' and 'aborted' in j['reason'] and j['plan']['changes'] and j['epoch'] == 3"

say "operators' keys are exchanged"
admin keys new "${near[@]}" -p "$LAB/stranger.key.pub" -t 1 -o "$LAB/keys" || fail "keys new"
admin sign -k "$LAB/stranger.key" "$LAB/keys" || fail "sign"
refused "keys that only the new operator signed" 3 'configured keys|trusted' "$BUILD/mcadmin" push \
	"$LAB/keys" "${near[@]}"
admin sign -k "$LAB/operator.key" "$LAB/keys" || fail "sign"
check "keys that both signed are accepted" admin push "$LAB/keys" "${near[@]}"
check "status shows whom the cluster trusts" shows '^trust +keys document version 1$' 2
admin keys show "${near[@]}" --raw || fail "keys show"
check "the agent gives them out" cmp "$LAB/out" "$LAB/keys"
sed '/^signature /d; s/^created .*/created 2031-01-01T00:00:00Z/' "$LAB/keys" >"$LAB/twin"
admin sign -k "$LAB/operator.key" -k "$LAB/stranger.key" "$LAB/twin" || fail "sign"
refused "another keys document of that version" 3 'equivocation: another keys version 1' "$BUILD/mcadmin" push \
	"$LAB/twin" "${near[@]}"
check "status shows it, asked at another agent too" shows '^EQUIVOCATION +1 signed document contradicting' 2
twin=$(sed -n 's/^  keys version 1  \([0-9a-f]*\)$/\1/p' "$LAB/status")
admin show --hash "$twin" "${near[@]}" --raw || fail "show --hash"
check "and the agent gives it out, with its signatures" cmp "$LAB/out" "$LAB/twin"
"$BUILD/mcadmin" doctor --conf "$LAB/1/agent.conf" >"$LAB/doctor" 2>&1
check "doctor fails" equal $? 1
check "and finds it" says "$LAB/doctor" '^FAULT +evidence +1 contradicting document kept$'
check "with what it means" says "$LAB/doctor" "^ +Somebody's key has signed two documents"
check "and what to do" says "$LAB/doctor" "^ +'mcadmin show --hash' shows them"
lab_conf 1 2 a3
lab_list_plan >"$LAB/plan.log" 2>&1 || fail "plan"
refused "a list signed by the old operator" 3 'trusted keys' "$BUILD/mcadmin" push "$LAB/list" "${near[@]}"
admin sign -k "$LAB/stranger.key" "$LAB/list" || fail "sign"
check "a list signed by the new one is carried out" admin push "$LAB/list" "${near[@]}" --timeout 60
admin keys show --agent "$(lab_agent_socket 2)" --raw || fail "keys show"
check "every agent gives the keys out" cmp "$LAB/out" "$LAB/keys"
lab_load verify
lab_load_zeros

say "a coordinator that is gone"
lab_load_stop
lab_agent_kill 1
second=(--agent "$(lab_agent_socket 2)")
alone() { shows '^view +this agent' 2; }
lab_until "$LAB_WAIT_S" alone || fail "agent a2 still reaches its coordinator"
refused "failover to a term that leaves one out" 3 'term 3 does not follow term 1' "$BUILD/mcadmin" failover a2 --term 3 \
	-k "$LAB/stranger.key" "${second[@]}" --yes
stranger=(failover a2 --term asked -k "$LAB/stranger.key" "${second[@]}" --yes --timeout 60)
check "failover, into a file" admin "${stranger[@]}" -o "$LAB/failover"
check "it has said who must be off" says "$LAB/out" 'a1 MUST BE OFF'
check "failover --json" admin "${stranger[@]}" --json
check "and says so" object "$LAB/out" \
	"j['result'] == 'accepted' and j['order']['order'] == 'failover' and j['reason'] is None"
led() { shows '^register +term [0-9]+, serial [0-9]+, coordinator a2$' 2 && shows '^lease .*left$' 2; }
lab_until 30 led || fail "agent a2 does not coordinate"
check "status shows the failover" shows '^failover +to a2, ordered for term 2$' 2
