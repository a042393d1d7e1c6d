#!/usr/bin/env bash
# As 65-partition, with the register in a real etcd on a host of its own and three candidates: the one
# who leads is killed in COPY, then the next one is on the side of the network that etcd is not on.
# Each time another takes over by itself; no read is ever stale, nothing is passed twice.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/netns.sh
. "$(dirname "$0")/../../lab/netns.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../../lab/etcd.sh"
# shellcheck source=tests/lab/partition.sh
. "$(dirname "$0")/../../lab/partition.sh"

LAB_ETCD_LEASE_S=5
LAB_CANDIDATES="1 2 3"

lab_netns_able
etcd_able
lab_new
lab_netns_start 1 2 3 4 5 $LAB_ETCD_HOST
etcd_start
for n in 1 2 3 4 5; do
	[ "$n" -gt 3 ] || { lab_server_start "$n" && etcd_conf "$n"; }
	lab_agent_start "$n"
done
lab_first_list 1 2 3 a4 a5
etcd_led
partition_change_begins
etcd_led

say "the coordinator is lost"
killed=$LAB_COORDINATOR
mapfile -t left < <(others "$killed")
killed_ms=$(lab_now_ms)
partition_coordinator_killed "${left[@]}" 4 5
etcd_led_since "$killed_ms" "${left[@]}"
all_leased "${left[@]}" 4 5
say "  ok: the others have leases again, nobody restarted"
lab_wait_for "a$killed,servers$killed"
lab_agent_start "$killed"
all_leased 1 2 3 4 5

leader=$LAB_COORDINATOR cut=${left[0]} stays=$killed
[ "$cut" != "$leader" ] || cut=${left[1]}
say "the network parts: a$leader, who leads, and host $cut here; etcd and hosts $stays, 4 and 5 there"
parted_ms=$(lab_now_ms)
partition_parts "$leader" "$cut"
etcd_led_since "$parted_ms" "$stays"
all_leased "$stays" 4 5
lab_until 20 lost "$leader" || fail "a$leader does not know that it leads no longer"
say "  ok: the three have leases, by a$stays; a$leader: $(grep '^leadership is lost' "$LAB/$leader/agent.log" | tail -n 1)"
partition_is_whole "$leader" "$cut"

say "host 5 stands still, its clients in what they do"
partition_host_sleeps
partition_ends
etcd_history_checked
