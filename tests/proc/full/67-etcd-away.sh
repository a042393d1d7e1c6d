#!/usr/bin/env bash
# The register in etcd, three candidates: the leading one alone is cut off from etcd, then hears it no
# more; etcd is killed and comes back with its data, in a change and, for long, settled.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../../lab/etcd.sh"

KEYS=6000
LAB_RATE=150

leases_held() { # N...: each of them holds a lease
	local n
	for n in "$@"; do lab_leased "$n" || return 1; done
}
reads() { lab_load report && lab_load_number reads; }

etcd_lab_start
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 1500
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
lab_conf 1 2 3 4 a5
lab_push_start 5 150
etcd_led

for mode in deaf mute; do
	cut=$LAB_COORDINATOR
	lab_wait_segment "$cut" copy
	relay $mode "$cut"
	say "a$cut and etcd: $mode"
	# shellcheck disable=SC2046 # one word for each
	etcd_led $(others "$cut")
	lab_until 20 lost "$cut" || fail "a$cut does not know that it leads no longer"
	relay pass "$cut"
done
say "etcd is killed in the change and comes back"
check "in COPY" equal "$(lab_status phase)" COPY
etcd_kill
etcd_start
etcd_led
lab_until 60 lab_settled 2 || fail "the cluster does not settle"
say "  ok: the cluster is settled under epoch 2"
check "who asked for the change is told" lab_push_wait
lab_load_zeros

say "etcd is away for long"
leader=$LAB_COORDINATOR
etcd_kill
lab_until 20 lost "$leader" || fail "a$leader still leads"
check "why is told: $(lab_status -"$leader" trouble)" [ -n "$(lab_status -"$leader" trouble)" ]
lab_until 20 lab_isolated 1 || fail "a1 still has a lease that nobody grants"
before=$(reads)
# The outage itself.
sleep $((3 * LAB_ETCD_LEASE_S))
check "routing goes on without it" between $((before + 1000)) "$(reads)" 1000000000
etcd_start
etcd_led
lab_until 20 leases_held 1 2 3 4 5 || fail "not everybody has a lease again"
check "there is nothing in the way any more" equal "$(lab_status trouble)" ""
lab_conf 1 2 3 a4 a5
check "and the next change goes through" lab_change 5 60
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros "$(lab_server_address 4)"
etcd_history_checked
