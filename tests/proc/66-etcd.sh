#!/usr/bin/env bash
# The register in etcd, three candidates, one change: the leading one is killed; the next one is stopped
# until another leads, and wakes up; the next is cut off from etcd; the last is asked to stop, and
# gives its leadership back.  The change goes on by itself; nothing is passed twice, stale or missed.
# In each phase, and for longer: tests/proc/full/66-*.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../lab/etcd.sh"

LAB_RATE=150
LAB_ISOLATION=bypass
LAB_ETCD_LEASE_S=3

given_back() { [ "$(etcd_leader_key)" != "a$1" ]; }

etcd_lab_start
lab_load_start 6000 "1 2 3" --readers 4 --writers 2 --rate 1500
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
lab_conf 1 2 3 4 a5
lab_push_start 5 150
for harm in killed stopped cut; do
	etcd_led
	n=$LAB_COORDINATOR
	losses=$(losses "$n")
	say "a$n: $harm"
	lab_wait_segment "$n" copy
	began_ms=$(lab_now_ms)
	case $harm in
	killed) lab_agent_kill "$n" ;;
	stopped) kill -STOP "${LAB_AGENT_PID[$n]}" ;;
	cut) relay deaf "$n" ;;
	esac
	# shellcheck disable=SC2046 # one word for each
	etcd_led_since "$began_ms" $(others "$n")
	case $harm in
	killed) lab_agent_start "$n" ;;
	stopped) kill -CONT "${LAB_AGENT_PID[$n]}" ;;
	esac
	if [ "$harm" != killed ]; then
		lab_until 20 lost "$n" "$losses" || fail "a$n does not know that it leads no longer"
		relay pass "$n"
	fi
	check "the change is still in COPY" equal "$(lab_status phase)" COPY
done

say "a$LAB_COORDINATOR: asked to stop"
n=$LAB_COORDINATOR
began_ms=$(lab_now_ms)
check "a$n stops" lab_agent_term "$n"
check "its leadership is given back" given_back "$n"
# shellcheck disable=SC2046 # one word for each
etcd_led_since "$began_ms" $(others "$n")
lab_agent_start "$n"
lab_until 60 lab_settled 2 || fail "the cluster does not settle"
say "  ok: the cluster is settled under epoch 2"
check "who asked for the change is told" lab_push_wait
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros
etcd_history_checked
