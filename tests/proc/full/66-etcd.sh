#!/usr/bin/env bash
# The register in etcd, three candidates: the leading one is killed in each phase of a change and
# comes back later.  Another one takes over and the change goes on by itself; nothing is passed
# twice, stale or missed.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../../lab/etcd.sh"

KEYS=12000
LAB_RATE=600

etcd_lab_start
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 2000
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
lab_conf 1 2 3 4 a5
lab_push_start 5 150 # through one who is no candidate

for phase in prepare COPY switch settle DRAIN PURGE; do
	killed=$LAB_COORDINATOR
	case $phase in
	COPY | DRAIN) lab_kill_working "$killed" $phase ;;
	PURGE) etcd_kill_passed "$killed" $phase ;;
	*) lab_kill_in "$killed" $phase ;;
	esac
	began_ms=$(lab_now_ms)
	# shellcheck disable=SC2046 # one word for each
	etcd_led $(others "$killed")
	say "  a$LAB_COORDINATOR leads after $(($(lab_now_ms) - began_ms)) ms"
	lab_agent_start "$killed"
done
lab_until 60 lab_settled 2 || fail "the cluster does not settle"
say "  ok: the cluster is settled under epoch 2"
check "who asked for the change is told" lab_push_wait
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros
etcd_history_checked
check "each time another one took over" between 7 "$(lab_status term)" 100
