#!/usr/bin/env bash
# The register in etcd, three candidates: in each phase the leading one is cut off from etcd alone.
# Another one takes over before it knows, or after; it leads no longer, is a host among others, and
# nothing is passed twice.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../../lab/etcd.sh"
# shellcheck source=tests/lab/etcd_phases.sh
. "$(dirname "$0")/../../lab/etcd_phases.sh"

# In turn: what it says is not heard, what it is told is not.
mode=deaf
harm_begins() {
	losses=$(losses "$1")
	relay $mode "$1"
	kill -CONT "${LAB_AGENT_PID[$1]}"
	say "  a$1 and etcd: $mode"
	if [ $mode = deaf ]; then mode=mute; else mode=deaf; fi
}
harm_ends() {
	lab_until 20 lost "$1" "$losses" || fail "a$1 does not know that it leads no longer"
	say "  ok: a$1: $(grep '^leadership is lost' "$LAB/$1/agent.log" | tail -n 1)"
	lab_until 20 lab_leased "$1" || fail "a$1 gets no lease"
	relay pass "$1"
}

phases_all
