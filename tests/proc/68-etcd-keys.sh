#!/usr/bin/env bash
# Operators' keys change twice, the register in etcd, and the leader that took both versions is killed
# before any other agent has fetched either: who leads next goes on under the new keys by itself, for
# their documents are in etcd.  Nobody pushes anything again.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../lab/etcd.sh"

KEYS=1000
LAB_OPERATORS=(alice bob)
LAB_THRESHOLD=1
LAB_ETCD_LEASE_S=3

new_keys() { # VERSION OPERATOR SIGNER...
	local file="$LAB/keys.$1" operator=$2
	shift 2
	"$BUILD/mcadmin" keys new -p "$LAB/$operator.key.pub" -t 1 --agent "$(lab_agent_socket "$n")" \
		-o "$file" >"$LAB/keys.log" 2>&1 || fail "mcadmin keys new: $(cat "$LAB/keys.log")"
	lab_sign "$file" "$@" >/dev/null
	check "a$n takes ${file##*/}" taken "$file"
	lab_until 10 in_force "$n" "${file##*.}" || fail "a$n does not store it"
}
taken() { "$BUILD/mcadmin" push "$1" --agent "$(lab_agent_socket "$n")" --timeout 20 >"$LAB/push.log" 2>&1; }
in_force() { [ "$(lab_status -"$1" keys_version)" = "$2" ]; }
has_none() { ! compgen -G "$LAB/$1/state/keys.*" >/dev/null; }

etcd_lab_start
lab_load_start $KEYS "1 2 3" --readers 2 --writers 1 --rate 1000
lab_load fill
lab_load run
lab_operator dave
lab_operator erin
n=$LAB_COORDINATOR

say "everybody but a$n is stopped while it takes two versions"
for other in $(others "$n") 5; do kill -STOP "${LAB_AGENT_PID[$other]}"; done
new_keys 1 dave alice dave
new_keys 2 erin dave erin
lab_agent_kill "$n"
began_ms=$(lab_now_ms)
for other in $(others "$n") 5; do
	check "a$other has not got them" has_none "$other"
	kill -CONT "${LAB_AGENT_PID[$other]}"
done
# shellcheck disable=SC2046 # one word for each
etcd_led_since "$began_ms" $(others "$n")
check "it is led under version 2" in_force "$LAB_COORDINATOR" 2
for other in $(others "$n") 5; do
	lab_until 20 test -e "$LAB/$other/state/keys.2" || fail "a$other has not got version 2"
done

say "the one that was killed comes back with nothing"
rm -rf "$LAB/$n/state"
lab_agent_start "$n"
lab_until 20 lab_leased "$n" || fail "a$n gets no lease"
lab_server_start 4
lab_agent_start 4
lab_conf 1 2 3 4 a5
LAB_SIGNERS=(alice)
"$BUILD/mcadmin" plan "$LAB/cluster.conf" --agent "$(lab_agent_socket "$LAB_COORDINATOR")" \
	-o "$LAB/refused.list" >/dev/null || fail "mcadmin plan"
lab_sign "$LAB/refused.list" alice >/dev/null
refused "a list by the keys of agent.conf" 3 "sign" "$BUILD/mcadmin" push "$LAB/refused.list" \
	--agent "$(lab_agent_socket "$LAB_COORDINATOR")" --timeout 20
LAB_SIGNERS=(erin)
check "a list by the new keys goes through" lab_change
lab_load pause
lab_load verify
lab_load_zeros
