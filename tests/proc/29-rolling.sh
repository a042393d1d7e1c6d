#!/usr/bin/env bash
# A fleet is upgraded one host at a time: agents that speak the protocol's version before and agents of
# this one go through changes together, whoever coordinates, and one is upgraded in the middle of a change.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

# releases: what the coordinator knows of the hosts' agents; "-" is one that speaks version 1.
releases() {
	"$BUILD/mcadmin" status --agent "$(lab_agent_socket 1)" --raw |
		sed -n 's/^host \(a[0-9]*\) .*release=\([^ ]*\) .*/\1=\2/p' | sort | tr '\n' ' '
}
in_copy() { [ "$(lab_status phase)" = COPY ]; }
releases_are() { [ "$(releases)" = "$1" ]; }
knows() { # WHAT RELEASES
	lab_until "$LAB_WAIT_S" releases_are "$2" || fail "$1: $(releases), expected $2"
	say "  ok: $1: $2"
}
upgrade() { # N
	lab_agent_term "$1" || fail "a$1 does not stop"
	unset "LAB_DAEMON[$1]"
	lab_agent_start "$1"
}
verify() {
	lab_load verify
	lab_load_zeros
	lab_load run
}
change() { # HOST...
	lab_conf "$@"
	lab_push_start
	check "the change to $* goes through" lab_push_wait
	verify
}

new=$("$BUILD/mcrosterd" --version)
new=${new#* }
for n in 1 2 3; do LAB_DAEMON[$n]=$BUILD/older/mcrosterd; done
LAB_RATE=400
say "all of them of the version before"
lab_start 2
lab_load_start 2000 "1 2" --readers 1 --writers 1 --rate 200
lab_load fill
lab_load run
lab_server_start 3
lab_agent_start 3
knows "a coordinator knows its own release" "a1=$new a2=- "

say "a host is upgraded in the middle of a change, the coordinator is not"
lab_conf 1 2 3
lab_push_start
lab_until 30 in_copy || fail "the change does not come to COPY"
upgrade 2
check "the change goes through" lab_push_wait
verify
knows "and an older one no other's" "a1=$new a2=- a3=- "
change 1 2

say "the coordinator is upgraded, one host is not"
upgrade 1
knows "it knows those that say" "a1=$new a2=$new "
change 1 2 3
knows "and those that do not" "a1=$new a2=$new a3=- "

say "the last one"
upgrade 3
knows "all of them" "a1=$new a2=$new a3=$new "
change 1 2
