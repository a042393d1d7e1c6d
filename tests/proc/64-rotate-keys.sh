#!/usr/bin/env bash
# The pre-shared key and host keys, the coordinator's among them, are replaced on a running cluster by
# agent.conf and SIGHUP: no agent restarts, no lease is lost, and a client checks all the while.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

logged() { tail -n +"$((LOGGED + 1))" "$LAB/$1/agent.log" | grep -Eq -- "$2"; }
says() { # N PATTERN: its log, from LOGGED on
	lab_until "$LAB_WAIT_S" logged "$1" "$2" || fail "a$1 does not say: $2: $(tail -n 2 "$LAB/$1/agent.log")"
}
conf() { # N LINE...: at the end of agent.conf as it was
	local n=$1
	shift
	lab_agent_conf "$n"
	[ $# = 0 ] || printf '%s\n' "$@" >>"$LAB/$n/agent.conf"
}
reload() { # N
	LOGGED=$(wc -l <"$LAB/$1/agent.log")
	kill -HUP "${LAB_AGENT_PID[$1]}"
	says "$1" 'agent.conf was read again and is in force'
	[ "$1" = 1 ] || says "$1" 'connected to coordinator'
}
others_leased() {
	local n
	for n in 1 2 3; do lab_leased "$n" || return; done
}
leased() { check "$1: every host has its lease" lab_until "$LAB_WAIT_S" others_leased; }
remote() { # N KEY PSK: mcadmin from elsewhere
	"$BUILD/mcadmin" status --agent "$LAB_NET.$1:$LAB_AGENT_PORT" --agent-key "$2" --psk "$3" \
		--cluster "$LAB_CLUSTER" >/dev/null 2>"$LAB/remote.err"
}
shut_out() { ! remote "$@"; }

lab_new
for n in 1 2 3; do lab_server_start "$n" && lab_agent_start "$n"; done
lab_first_list 1 2 a3
pids_before=${LAB_AGENT_PID[*]}
lab_load_start 2000 "1 2 3" --readers 1 --writers 1 --rate 200
lab_load fill

say "the pre-shared key"
cp -p "$LAB/psk" "$LAB/psk.old"
"$BUILD/mcadmin" keygen --psk --force -o "$LAB/psk" >/dev/null || fail "mcadmin keygen --psk"
for n in 3 1 2; do
	conf "$n" "previous-psk = \"$LAB/psk.old\""
	reload "$n"
	leased "a$n has the new one"
done
check "both let in" remote 1 "$LAB/1/host.key.pub" "$LAB/psk"
check "both let in" remote 1 "$LAB/1/host.key.pub" "$LAB/psk.old"
for n in 1 2 3; do
	conf "$n"
	reload "$n"
	leased "a$n has the new one alone"
done
check "the new one lets in" remote 2 "$LAB/2/host.key.pub" "$LAB/psk"
check "the old one does not" shut_out 2 "$LAB/2/host.key.pub" "$LAB/psk.old"
say "a host that was left out"
lab_agent_conf 3
sed -i "s|^psk = .*|psk = \"$LAB/psk.old\"|" "$LAB/3/agent.conf"
LOGGED=$(wc -l <"$LAB/1/agent.log")
kill -HUP "${LAB_AGENT_PID[3]}"
says 1 'turned away, the last: .*made with another pre-shared key'
LOGGED=1 # all of it
says 3 'coordinator .* during the handshake: it may have another pre-shared key'
conf 3
reload 3
leased "a3 has the new one"
chmod 0644 "$LAB/psk"
for _ in 1 2; do # the second time it is said a little later
	LOGGED=$(wc -l <"$LAB/3/agent.log")
	kill -HUP "${LAB_AGENT_PID[3]}"
	says 3 'not reloaded: .*psk: found mode 0644, expected 0600'
done
chmod 0600 "$LAB/psk"

say "the host keys of a1, who coordinates, and of a2"
for n in 1 2; do
	for key in host.key host.key.pub; do mv "$LAB/$n/$key" "$LAB/$n/old.$key"; done
	"$BUILD/mcadmin" hostkey -o "$LAB/$n/host.key" >/dev/null || fail "mcadmin hostkey"
done
LOGGED=$(wc -l <"$LAB/2/agent.log")
kill -HUP "${LAB_AGENT_PID[2]}"
says 2 'not reloaded: host-key: .* expected that one as previous-host-key beside it'
for n in 1 2; do
	conf "$n" "previous-host-key = \"$LAB/$n/old.host.key\""
	reload "$n"
	leased "a$n has both"
done
check "the one in the list lets in" remote 1 "$LAB/1/old.host.key.pub" "$LAB/psk"
check "so does the new one" remote 1 "$LAB/1/host.key.pub" "$LAB/psk"
lab_conf 1 2 a3
check "a list with the new ones settles" lab_change
check "it moved nothing" equal "$(lab_status change_slots_moved)" 0
for n in 1 2; do
	says "$n" 'the list names the new host key: it is used from now on'
done
leased "after the list"
for n in 1 2; do
	conf "$n"
	reload "$n"
	leased "a$n has the new one alone"
	rm "$LAB/$n/old.host.key"
done
check "the old one does not let in" shut_out 1 "$LAB/1/old.host.key.pub" "$LAB/psk"
check "the new one does" remote 1 "$LAB/1/host.key.pub" "$LAB/psk"

say "and a change that moves keys"
lab_conf 1 2 3
check "s3 gets its share" lab_change
LOGGED=0
for n in 1 2 3; do says "$n" '^settled: epoch 3: STEADY '; done
check "no agent was restarted" equal "${LAB_AGENT_PID[*]}" "$pids_before"
leased "at the end"
lab_load verify
lab_load_zeros
