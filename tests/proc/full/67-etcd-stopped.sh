#!/usr/bin/env bash
# The register in etcd, three candidates: the leading one is stopped in the middle of a change for
# ten of etcd's leases.  Another one takes over; the stopped one wakes up as the leader that it was
# and neither grants nor writes.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../../lab/etcd.sh"

KEYS=6000
LAB_RATE=400
LAB_ETCD_LEASE_S=3

etcd_lab_start
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 1500
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
lab_conf 1 2 3 4 a5
lab_push_start 5 150
etcd_led
stopped=$LAB_COORDINATOR
lab_wait_progress "$stopped" COPY
kill -STOP "${LAB_AGENT_PID[$stopped]}"
check "agent a$stopped is stopped in COPY" equal "$(lab_shown "$stopped" | cut -d' ' -f1)" COPY
stopped_ms=$(lab_now_ms)
term_before=$(etcd_history | tail -n 1 | cut -d' ' -f1)

# shellcheck disable=SC2046 # one word for each
etcd_led $(others "$stopped")
check "in the next term" between $((term_before + 1)) "$(lab_status term)" 100
lab_wait_for "a$stopped,servers$stopped"
# The pause itself: ten leases are over when it wakes up.
sleep $((stopped_ms / 1000 + 10 * LAB_ETCD_LEASE_S - $(lab_now_ms) / 1000))
check "meanwhile the change has not left COPY" equal "$(lab_status phase)" COPY
kill -CONT "${LAB_AGENT_PID[$stopped]}"
lab_until 20 lost "$stopped" || fail "a$stopped does not know that it leads no longer"
say "  ok: a$stopped: $(grep '^leadership is lost' "$LAB/$stopped/agent.log" | tail -n 1)"

etcd_led
lab_until 60 lab_settled 2 || fail "the cluster does not settle"
say "  ok: the cluster is settled under epoch 2"
check "who asked for the change is told" lab_push_wait
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros
etcd_history_checked
