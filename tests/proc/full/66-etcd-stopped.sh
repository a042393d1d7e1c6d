#!/usr/bin/env bash
# The register in etcd, three candidates: the leading one is stopped in each phase for ten of etcd's
# leases.  Another one takes over; the stopped one wakes up as the leader that it was and neither
# grants nor writes.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../../lab/etcd.sh"
# shellcheck source=tests/lab/etcd_phases.sh
. "$(dirname "$0")/../../lab/etcd_phases.sh"

harm_begins() {
	stopped_ms=$(lab_now_ms)
	losses=$(losses "$1")
}
ten_leases() { [ $(($(lab_now_ms) - stopped_ms)) -ge $((10 * LAB_ETCD_LEASE_S * 1000)) ]; }
harm_ends() {
	local leader=$LAB_COORDINATOR
	lab_until 60 ten_leases
	say "  a$1 wakes up after $(($(lab_now_ms) - stopped_ms)) ms"
	kill -CONT "${LAB_AGENT_PID[$1]}"
	lab_until 20 lost "$1" "$losses" || fail "a$1 does not know that it leads no longer"
	say "  ok: a$1: $(grep '^leadership is lost' "$LAB/$1/agent.log" | tail -n 1)"
	lab_until 20 lab_leased "$1" || fail "a$1 gets no lease"
	check "its lease is of a$leader, who leads" equal "$(lab_status -"$1" coordinator)" "a$leader"
}

phases_all
