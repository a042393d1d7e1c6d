#!/usr/bin/env bash
# IPv6 throughout: servers, agents, clients and the operator's tool by addresses like [::1]:11211.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=4000
LAB_RATE=3000

grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null || { say "skipped: no IPv6 loopback here" && exit 77; }
free_hundred() {
	LAB_V6=$((10000 + RANDOM % 220 * 100))
	! ss -Htanl | awk '{ sub(/.*:/, "", $4); print $4 }' |
		grep -qE "^$((LAB_V6 / 100))[0-9][0-9]\$"
}
lab_until 20 free_hundred || fail "no hundred free ports"

lab_start 2
check "the list has them" equal "$(grep -c '^\(agent\|server\) .* \[::1\]:' "$LAB/list")" 4
lab_load_start $KEYS "1 2" --readers 2 --writers 2 --rate 2000
lab_load fill
lab_load run
lab_server_start 3
lab_agent_start 3
lab_conf 1 2 3
check "s3 joins" lab_change
lab_load pause
lab_inspect_zeros
check "s3 holds its share" between $((KEYS / 4)) "$(lab_inspected keys 'server s3 ')" $((KEYS * 2 / 5))
lab_load run
LAB_COORDINATOR=2
lab_conf 1 2 3
check "a2 coordinates from now on" lab_change 1
lab_conf 2 3
check "s1 leaves, its agent with it" lab_change
lab_load pause
lab_inspect_zeros "$(lab_server_address 1)"
lab_load verify
lab_load_zeros
for address in '[::0]:11280' '::1:11280' '[::1]' '[::ffff:10.0.0.1]:11280' '[::]:11280'; do
	sed "s/^agent \"a2\" { address=\"[^\"]*\"/agent \"a2\" { address=\"$address\"/" "$LAB/cluster.conf" \
		>"$LAB/wrong.conf"
	refused "the address $address" - 'address' "$BUILD/mcadmin" plan "$LAB/wrong.conf" --parent none -o "$LAB/wrong"
done
