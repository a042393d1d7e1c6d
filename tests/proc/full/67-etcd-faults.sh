#!/usr/bin/env bash
# The register in etcd, three candidates: an etcd that answers nonsense, one that is slow, one that
# is out of space, and one that holds what is no register of this cluster.  Nobody leads by nonsense;
# what was not stored is not passed; each goes on by itself when it is over.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../../lab/etcd.sh"

KEYS=4000

troubled() { [[ $(lab_status trouble) = *"$1"* ]]; }
untroubled() { [ -z "$(lab_status trouble)" ]; }
nobody_leads() { ! etcd_leader; }

LAB_ETCD_ARGUMENTS=(--quota-backend-bytes 2000000)
etcd_lab_start
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 1500
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
history=$(etcd_history)

say "etcd answers nonsense"
leader=$LAB_COORDINATOR
relay garbage
lab_until 20 lost "$leader" || fail "a$leader still leads"
# Long enough for each candidate to be told all of it.
sleep $((4 * LAB_ETCD_LEASE_S))
check "nobody leads" nobody_leads
for n in 1 2 3; do
	check "a$n tells: $(lab_status -$n trouble)" [ -n "$(lab_status -$n trouble)" ]
done
check "nothing was passed" equal "$(etcd_history)" "$history"
relay pass
etcd_led

say "what stands in etcd is not fit to be led from"
# Who leads has begun its term there.
register_begun() { [ "$(lab_status term)" -gt "$term" ]; }
term=$(cut -d' ' -f1 <<<"${history##*$'\n'}")
unfit() { # WHAT SED RULE: refused by the rule, status shows it
	local n fit
	lab_until 20 register_begun || fail "$1: a$LAB_COORDINATOR has begun no term after $term"
	term=$(lab_status term)
	fit=$(etcd_register)
	etcd_put register "$(sed "$2" <<<"$fit")"
	for n in 1 2 3; do
		lab_until 20 troubled_at "$n" "$3" || fail "$1: a$n says: $(lab_status -$n trouble)"
	done
	check "$1: nobody leads: $(lab_status -1 trouble)" nobody_leads
	etcd_put register "$fit"
	etcd_led
}
troubled_at() { [[ $(lab_status -"$1" trouble) = *"$2"* ]]; }
unfit "another cluster's register" "s/ lab\$/ mail/" "anothercluster's:found'mail',expected'lab'"
unfit "a newer format" "s/register 1/register 2/" "newerformat:found2"
unfit "no register at all" "s/.*/hello/" "damaged"
check "nothing was passed but terms" equal "$(etcd_history | cut -d' ' -f4,5 | sort -u)" "1 STEADY"

say "etcd is slow"
relay slow=250
lab_conf 1 2 3 4 a5
check "a change goes through" lab_change 5 60

say "etcd is out of space"
relay pass
etcd_led
lab_conf 1 2 3 a4 a5
etcd_fill
serial=$(lab_status serial)
lab_push_start 5 90
lab_until 30 troubled spaceexceeded || fail "trouble: $(lab_status trouble)"
say "  ok: a$LAB_COORDINATOR tells: $(lab_status trouble)"
check "it leads on" leads "$LAB_COORDINATOR"
check "what cannot be stored is not passed" equal "$(lab_status serial)" "$serial"
check "nor published" equal "$(lab_shown 1 | cut -d' ' -f1-3)" "STEADY epoch 2"
etcd_more_space
check "with more of it the change goes through" lab_push_wait
etcd_led
lab_until 20 untroubled || fail "trouble: $(lab_status trouble)"
lab_load pause
lab_load verify
lab_load_zeros
lab_inspect_zeros "$(lab_server_address 4)"
etcd_history_checked
