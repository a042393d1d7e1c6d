#!/usr/bin/env bash
# Five hosts in network namespaces, under `isolation bypass`, the register in a file: in the middle of
# a change the coordinator is lost, the network parts two hosts from three, and one host's agent and
# clients are stopped for ten leases.  The change goes on by itself as soon as it can; no read is ever
# stale.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/netns.sh
. "$(dirname "$0")/../../lab/netns.sh"
# shellcheck source=tests/lab/partition.sh
. "$(dirname "$0")/../../lab/partition.sh"

LAB_COORDINATOR=3

lab_netns_able
lab_new
lab_netns_start 1 2 3 4 5
for n in 1 2 3 4 5; do
	[ "$n" -gt 3 ] || lab_server_start "$n"
	lab_agent_start "$n"
done
lab_first_list 1 2 3 a4 a5
partition_change_begins

say "the coordinator is lost"
partition_coordinator_killed 1 2 4 5
lab_agent_start 3
all_leased 1 2 3 4 5
say "  ok: it is back, and the change goes on"
lab_wait_for ,servers

say "the network parts: hosts 1 and 2 here, 3, 4 and 5 there"
partition_parts 1 2
check "the three keep their leases" leased 3 4 5
partition_is_whole 1 2

say "host 5 stands still, its clients in what they do"
partition_host_sleeps
partition_ends
