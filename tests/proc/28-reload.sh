#!/usr/bin/env bash
# SIGHUP: agent.conf is read again; what is wrong in it is refused as a whole, and the agent goes on.
# The service manager hears of it.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

conf() { # LINE...: at the end of agent.conf as it was
	cp "$LAB/1/agent.conf.first" "$LAB/1/agent.conf"
	[ $# = 0 ] || printf '%s\n' "$@" >>"$LAB/1/agent.conf"
}
logged() { tail -n +"$((LOGGED + 1))" "$LAB/1/agent.log" | grep -Eq -- "$1"; }
reload() { # PATTERN: what the log says then
	LOGGED=$(wc -l <"$LAB/1/agent.log")
	kill -HUP "${LAB_AGENT_PID[1]}"
	lab_until "$LAB_WAIT_S" logged "$1" || fail "not in the log: $1: $(tail -n 1 "$LAB/1/agent.log")"
	say "  ok: $(tail -n 1 "$LAB/1/agent.log")"
}
quiet() { : >"$LAB/told" && ! lab_until 1 test -s "$LAB/told"; }
told() { grep -qx "$1" "$LAB/told"; }

LAB_RATE=100
lab_new
lab_agent_conf 1
cp "$LAB/1/agent.conf" "$LAB/1/agent.conf.first"
/usr/bin/python3 -u -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode())
' "$LAB/notify" >"$LAB/told" 2>&1 &
LAB_BESIDE+=($!)
lab_until "$LAB_WAIT_S" test -S "$LAB/notify"
export NOTIFY_SOCKET=$LAB/notify WATCHDOG_USEC=200000
lab_server_start 1
lab_agent_start 1
lab_first_list 1
check "it says that it is ready" lab_until "$LAB_WAIT_S" told READY=1
: >"$LAB/told"
check "it feeds the watchdog" lab_until "$LAB_WAIT_S" told WATCHDOG=1
kill -STOP "${LAB_AGENT_PID[1]}"
check "stopped, it does not" lab_until "$LAB_WAIT_S" quiet
kill -CONT "${LAB_AGENT_PID[1]}"

say "what may change"
: >"$LAB/told"
conf 'clients-per-user = 1'
reload 'agent.conf was read again and is in force'
check "the manager hears that it begins" lab_until "$LAB_WAIT_S" told RELOADING=1
check "and when" lab_until "$LAB_WAIT_S" told 'MONOTONIC_USEC=[1-9][0-9]*'
check "and the end" lab_until "$LAB_WAIT_S" told READY=1
mkfifo "$LAB/hold"
"$LAB_TOOLS/hold" --segment "$(lab_segment 1)" <"$LAB/hold" >"$LAB/held" 2>&1 &
LAB_BESIDE+=($!)
exec {held}>"$LAB/hold"
check "a client registers" lab_until "$LAB_WAIT_S" grep -q ready "$LAB/held"
"$LAB_TOOLS/hold" --segment "$(lab_segment 1)" </dev/null >/dev/null 2>"$LAB/hold.log"
exec {held}>&-
check "a second one of its user is told why it is refused" \
	grep -q 'as many clients, in all or of this user' "$LAB/hold.log"

say "what may not, and what is wrong"
status_before=$("$BUILD/mcadmin" status --agent "$(lab_agent_socket 1)" --raw | grep -c .)
: >"$LAB/told"
conf 'clients-mode = "0600"' 'boot-wait = 1'
reload "not reloaded: $LAB/1/agent.conf:[0-9]+: boot-wait: found a second one"
conf 'clients-mode = "0600"'
reload "not reloaded: $LAB/1/agent.conf: found another value .* for clients-mode: that takes a restart"
check "the manager hears why" lab_until "$LAB_WAIT_S" told 'STATUS=not reloaded: .* clients-mode: .*'
check "and that it goes on" lab_until "$LAB_WAIT_S" told READY=1
conf 'colour = "red"'
reload 'not reloaded: .*colour: found an unknown option'
rm "$LAB/1/agent.conf"
reload 'not reloaded: .*agent.conf: .*No such file'
: >"$LAB/told"
conf
kill -HUP "${LAB_AGENT_PID[1]}"
check "put right, it is taken" lab_until "$LAB_WAIT_S" told 'STATUS=.*agent.conf was read again and is in force'
check "it answers as before" equal "$status_before" \
	"$("$BUILD/mcadmin" status --agent "$(lab_agent_socket 1)" --raw | grep -c .)"
