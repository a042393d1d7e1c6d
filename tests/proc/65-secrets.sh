#!/usr/bin/env bash
# Secrets in memory: what agents hold of their keys no core dump has, also while a peer does not answer;
# mcadmin has neither key nor passphrase any more while it watches the change that it has signed.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)

found() { # PID NAME=FILE...: where they stand, in FOUND
	exec 9<"/proc/$1/mem" || fail "the memory of $1 cannot be read"
	FOUND=$(/usr/bin/python3 "$top/tests/lab/memory.py" "$@") || fail "the memory of $1 cannot be read"
	exec 9<&-
}
agent_found() { found "${LAB_AGENT_PID[$1]}" "host=$LAB/$1/host.key" "psk=$LAB/psk"; }
places() { grep -c "^$1 $2\$" <<<"$FOUND"; }

lab_new
for n in 1 2 3; do lab_server_start "$n" && lab_agent_start "$n"; done
lab_first_list 1 2 a3

say "an agent"
agent_found 2
check "it has its keys" [ "$(places host kept)" -gt 0 ]
check "and the pre-shared one" [ "$(places psk kept)" -gt 0 ]
check "no dump has them" equal "$(grep dumped <<<"$FOUND")" ""
kept=$(places psk kept)
kill -STOP "${LAB_AGENT_PID[1]}"
lab_agent_kill 2
lab_agent_start 2
dials() { # it has one more copy, for a handshake that nobody answers
	agent_found 2
	[ "$(places psk kept)" -gt "$kept" ] || [ "$(places psk dumped)" -gt 0 ]
}
check "it dials one who does not answer" lab_until "$LAB_WAIT_S" dials
check "no dump has its keys then either" equal "$(grep dumped <<<"$FOUND")" ""
kill -CONT "${LAB_AGENT_PID[1]}"
check "every host has its lease again" lab_until "$LAB_WAIT_S" lab_leased 2

say "mcadmin"
(umask 077 && printf 'correct horse battery staple\n' >"$LAB/words")
cp -p "$LAB/operator.key" "$LAB/sealed.key"
"$BUILD/mcadmin" passphrase "$LAB/sealed.key" --passphrase-file "$LAB/words" >/dev/null || fail "mcadmin passphrase"
lab_conf 1 2 3
lab_server_stop 3 # so it stays in PREPARE
"$BUILD/mcadmin" apply "$LAB/cluster.conf" -k "$LAB/sealed.key" --passphrase-file - --ask no --yes \
	--agent "$(lab_agent_socket 1)" <"$LAB/words" >"$LAB/apply.out" 2>&1 &
apply=$!
LAB_BESIDE+=("$apply")
lab_wait_segment 1 prepare
found "$apply" "key=$LAB/operator.key" "passphrase=$LAB/words" "psk=$LAB/psk"
check "it has forgotten what it signed with" equal "$FOUND" ""
lab_server_cont 3
check "the change goes through" wait "$apply"
