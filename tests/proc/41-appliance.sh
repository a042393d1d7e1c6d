#!/usr/bin/env bash
# Servers without an agent: another host's agent moves for them, from them and to them, while those
# beside them have their own.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=6000
LAB_RATE=3000
LAB_AGENT_OF=([3]=1 [5]=2)

change() { # WHAT HOST...
	say "$1"
	shift
	lab_load run
	lab_conf "$@"
	check "the change goes through" lab_change
	lab_load pause
}

lab_new
for n in 1 2 3; do lab_server_start $n; done
for n in 1 2; do lab_agent_start $n; done
lab_first_list 1 2 3
lab_load_start $KEYS "1 2" --readers 2 --writers 2 --rate 2000
lab_load fill

lab_server_start 4
lab_agent_start 4
change "s4 joins: the appliance s3 is one of three sources" 1 2 3 4
lab_inspect_zeros
check "the appliance had its share and gave of it" between $((KEYS / 5)) \
	"$(lab_inspected keys 'server s3 ')" $((KEYS * 3 / 10))

lab_server_start 5
lab_memcached 5 'set foreign 0 0 1' x >/dev/null
lab_conf 1 2 3 4 5
lab_list_plan >"$LAB/plan.log" 2>&1
refused "an appliance that is new and not empty" - 'server `?s5`?.*(holds|empty|items|wipe)' lab_push "" 30
lab_memcached 5 'delete foreign' >/dev/null
change "the appliance s5 joins" 1 2 3 4 5
lab_inspect_zeros
check "s5 holds its share" between $((KEYS * 3 / 20)) "$(lab_inspected keys 'server s5 ')" $((KEYS / 4))

change "the appliance s3 leaves" 1 2 4 5
lab_inspect_zeros "$(lab_server_address 3)"
check "nothing is left on it" equal "$(lab_inspected keys 'server (left)')" 0
lab_load verify
lab_load_zeros
