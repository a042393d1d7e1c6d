#!/usr/bin/env bash
# The register in etcd, and etcd's data lost in the middle of a change, set back to a backup, and etcd
# gone for good: nobody leads from what is not the newest; a signed failover goes on by what the hosts
# know, in etcd or in a file.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/etcd.sh
. "$(dirname "$0")/../../lab/etcd.sh"

KEYS=6000
LAB_RATE=120
LAB_ISOLATION=bypass
LAB_ETCD_LEASE_S=3

troubled() { # PATTERN N...: they say so
	local pattern=$1 n
	shift
	for n in "$@"; do [[ $(lab_status -"$n" trouble) =~ $pattern ]] || return 1; done
}
nobody_leads() { # PATTERN: and each candidate says why
	lab_until 30 troubled "$1" 1 2 3 || fail "trouble: $(for n in 1 2 3; do lab_status -$n trouble; done)"
	lab_until 20 no_leader_key || fail "a leader's key stands in etcd: $(etcd_leader_key)"
	say "  ok: nobody leads: $(lab_status -1 trouble)"
}
no_leader_key() { [ -z "$(etcd_leader_key)" ]; } # a backup's runs out
not_led() { [ "$(lab_status -"$1" view)" = local ]; }
leads_term() { leads "$1" && [ "$(lab_status -"$1" term)" = "$2" ]; }
failover() { # N: asked there
	local term
	lab_until 20 not_led "$1" || fail "a$1 still sees a coordinator"
	term=$(lab_status -"$1" term)
	LAB_COORDINATOR=$1 lab_ordered failover "a$1" --term asked
	lab_until 40 leads_term "$1" $((term + 1)) ||
		fail "a$1 does not lead term $((term + 1)): $(lab_status_json "$1" | cut -c1-500)"
	LAB_COORDINATOR=$1
	say "  ok: a$1 leads term $((term + 1))"
}
leased() {
	local n
	for n in "$@"; do lab_leased "$n" || return 1; done
}
all_leased() { lab_until 40 leased "$@" || fail "not everybody has a lease"; }

etcd_lab_start
lab_load_start $KEYS "1 2 3" --readers 4 --writers 2 --rate 1500
lab_load fill
lab_server_start 4
lab_agent_start 4
lab_load run
etcd_kill
cp -a "$LAB/etcd" "$LAB/etcd.backup"
etcd_start
etcd_led

say "etcd comes back empty, in COPY"
lab_conf 1 2 3 4 a5
lab_push_start 5 200
lab_wait_progress 1 COPY
etcd_kill
rm -rf "$LAB/etcd"
etcd_start
nobody_leads 'theregisterisgonewheretherewasone'
check "the change is in COPY" equal "$(lab_shown 5 | cut -d' ' -f1)" COPY
failover 2
all_leased 1 2 3 4 5
check "the change goes through" lab_push_wait
check "the register is in etcd" grep -q '^mcroster-register 1 lab$' <(etcd_register)
lab_load_not_stale

say "etcd comes back from a backup of before"
etcd_kill
rm -rf "$LAB/etcd"
mv "$LAB/etcd.backup" "$LAB/etcd"
etcd_start
nobody_leads 'theregisterisolderthanonethatwasseenhere'
failover 1
all_leased 1 2 3 4 5
lab_conf 1 2 3 a4 a5
check "the next change goes through" lab_change 5 60

say "etcd is gone for good, and the agents are configured for files"
etcd_kill
for n in 1 2 3; do
	check "agent a$n stops" lab_agent_term "$n"
	lab_agent_conf "$n"
	lab_agent_start "$n"
done
failover 3
all_leased 1 2 3 4 5
LAB_CANDIDATES=3
lab_conf 1 2 3 4 a5
check "the next change goes through" lab_change 5 60
lab_load pause
lab_load verify
lab_load_not_stale
lab_inspect_zeros
