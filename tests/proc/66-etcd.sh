#!/usr/bin/env bash
# The register in etcd, three candidates, one change: the leading one is killed; the next one is stopped
# until another leads, and wakes up; the next is cut off from etcd; etcd itself talks nonsense, is
# killed and comes back; and who leads then is asked to stop, and gives its leadership back.  The
# change goes on by itself; nothing is passed twice, stale or missed.  In each phase, and for longer:
# tests/proc/full/66-* and 67-*.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../lab/etcd.sh"

LAB_RATE=60
LAB_ISOLATION=bypass
LAB_ETCD_LEASE_S=3

given_back() { [ "$(etcd_leader_key)" != "a$1" ]; }
leads_no_more() { # N
	lab_until 20 lost "$1" "$losses" || fail "a$1 does not know that it leads no longer"
}
harm_begins() {
	losses=$(losses "$n")
	lab_wait_segment "$n" copy
	say "a$n: $1"
	began_ms=$(lab_now_ms)
}
another_leads() {
	# shellcheck disable=SC2046 # one word for each
	etcd_led_since "$began_ms" $(others "$n")
}
harm_ends() {
	etcd_led
	n=$LAB_COORDINATOR
	check "the change is still in COPY" equal "$(lab_status phase)" COPY
}

etcd_lab_start
lab_load_start 6000 "1 2 3" --readers 4 --writers 2 --rate 1500
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
lab_conf 1 2 3 4 a5
lab_push_start 5 150
etcd_led
n=$LAB_COORDINATOR

harm_begins killed
lab_agent_kill "$n"
another_leads
lab_agent_start "$n"
harm_ends

harm_begins stopped
kill -STOP "${LAB_AGENT_PID[$n]}"
another_leads
kill -CONT "${LAB_AGENT_PID[$n]}"
leads_no_more "$n"
harm_ends

harm_begins "cut off from etcd"
relay deaf "$n"
another_leads
leads_no_more "$n"
relay pass "$n"
harm_ends

harm_begins "etcd talks nonsense"
relay garbage
leads_no_more "$n"
relay pass
harm_ends

harm_begins "etcd is killed, and comes back"
etcd_kill
leads_no_more "$n"
etcd_start
harm_ends

say "a$LAB_COORDINATOR: asked to stop"
began_ms=$(lab_now_ms)
check "a$n stops" lab_agent_term "$n"
check "its leadership is given back" given_back "$n"
another_leads
lab_agent_start "$n"
lab_until 60 lab_settled 2 || fail "the cluster does not settle"
say "  ok: the cluster is settled under epoch 2"
check "who asked for the change is told" lab_push_wait
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros
etcd_history_checked
