#!/usr/bin/env bash
# docs/migrate.md, step by step and each step back: from a list of servers in every client's
# configuration, with libmemcached's ketama, to mcroster.  Clients read and write all the while.
# limit: 600
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/proxy.sh
. "$(dirname "$0")/../lab/proxy.sh"

KEYS=1500
WRITES=200
LAB_LEASE_MS=5000 LAB_STEADY_LEASE_MS=10000 LAB_OP_TIMEOUT_MS=1000

# at_work WHO: list, proxy or "" for both, for some writes; nothing wrong is read, and nothing missed.
at_work() {
	through pause
	through "go${1:+ $1}"
	through_more $WRITES
	through pause
	through verify
	through_zeros
}

changed() { # WHAT HOST...
	local what=$1
	shift
	lab_conf "$@"
	check "$what" lab_change "" 120
}

lab_new
for n in 1 2 3 4; do lab_server_start "$n"; done
list=$(lab_server_address 1),$(lab_server_address 2),$(lab_server_address 3)
mkdir -p "$LAB/1" "$LAB/2"
through_start $KEYS "pylibmc=$list" "php=$list" text=1 meta=2 pylibmc=1 php=2
through "fill list"
say "before: a list in every client"
at_work list

say "step 1: agents, with the same list"
LAB_DISTRIBUTION='distribution = "ketama-weighted md5"'
for n in 1 2 3; do lab_agent_start "$n"; done
through "go list"
lab_first_list 1 2 3
at_work list
say "and back: the agents stop"
for n in 1 2 3; do
	lab_end "${LAB_AGENT_PID[$n]}"
	unset "LAB_AGENT_PID[$n]"
done
at_work list
for n in 1 2 3; do lab_agent_start "$n"; done
for n in 1 2 3; do lab_until "$LAB_WAIT_S" lab_settled 1 || fail "agent a$n is not back"; done

say "step 2: clients at proxies, beside those with a list"
for n in 1 2; do
	proxy_conf "$n"
	proxy_start "$n"
done
for example in greeting.php greeting.py; do
	sed "s/127.0.0.1\(', \|:\)11212/$(proxy_address 1 | sed "s/:.*//")\1$PROXY_PORT/" \
		"$PROXY_TOP/bindings/proxy/examples/$example" >"$LAB/$example"
done
check "the example in PHP" equal "$(php "$LAB/greeting.php")" hello
check "the example in Python" equal "$(/usr/bin/python3 "$LAB/greeting.py")" hello
at_work ""
say "and back: all with a list"
at_work list
say "step 2 again: all at proxies"
at_work proxy

say "step 3: the first change by mcroster: s4 joins"
lab_agent_start 4
through "go proxy"
changed "s4 joins, by the same ring" 1 2 3 4
at_work proxy
say "and back: s4 leaves, and the lists in the clients hold again"
through "go proxy"
changed "s4 leaves" 1 2 3 a4
at_work proxy
at_work list

say "step 4: from the ring to slots"
through "go proxy"
LAB_DISTRIBUTION=
changed "the change to slots" 1 2 3 a4
at_work proxy
say "and back: to the ring, and the lists in the clients hold again"
LAB_DISTRIBUTION='distribution = "ketama-weighted md5"'
through "go proxy"
changed "the change to the ring" 1 2 3 a4
at_work proxy
at_work list
