#!/usr/bin/env bash
# mcadmin render: what other programs are configured with.  A twemproxy so configured sends 10,000 keys
# where libmcroster does, by weights, addresses and a label that no program's syntax likes; memcached's own proxy too, by each of its distributions, where
# MEMCACHED_PROXY names one.  What a program cannot do is refused.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=10000

render() { "$BUILD/mcadmin" render --agent "$(lab_agent_socket 1)" --format "$1" >"$LAB/rendered"; }
found() { "$LAB_TOOLS/adopt" find $KEYS "$(lab_segment 1)" >"$LAB/found"; }
stored() { "$LAB_TOOLS/adopt" proxy $KEYS "$LAB/fleet.sock"; }
emptied() { for n in 1 2 3; do lab_memcached "$n" flush_all >/dev/null; done; }

# distributed TEXT: the fleet, as it is, under another distribution.
distributed() {
	LAB_DISTRIBUTION="distribution = \"$1\""
	lab_conf 1 2 3
	lab_change "" 60 || fail "the change to $1: $(tail -n 3 "$LAB/push.log")"
	emptied
}

LAB_DISTRIBUTION='distribution = "ketama-weighted fnv1a_64"'
# shellcheck disable=SC2034 # the lab's
LAB_WEIGHT=([1]=100 [2]=250 [3]=37) LAB_LABEL=([3]="it's{#1}:")
lab_start 3

check "twemproxy" render twemproxy
sed -i "s|listen: .*|listen: $LAB/fleet.sock 0600|; s|timeout: .*|timeout: 20000|" "$LAB/rendered"
nutcracker -c "$LAB/rendered" -p "$LAB/nutcracker.pid" -o "$LAB/nutcracker.log" -a "$LAB_NET.1" -s 22222 -m 16384 \
	>"$LAB/nutcracker.out" 2>&1 &
LAB_BESIDE+=($!)
lab_until "$LAB_WAIT_S" test -S "$LAB/fleet.sock" || fail "nutcracker does not listen: $(tail -n 3 "$LAB/nutcracker.log")"
check "it stores $KEYS items" stored
check "every one is where libmcroster says" found

check "json" render json
check "json is JSON with three servers" python3 -c 'import json, sys
assert [s["port"] for s in json.load(open(sys.argv[1]))["servers"]] == ["21211"] * 3' "$LAB/rendered"
check "env" render env
# shellcheck disable=SC2016
check "env is a shell's" equal "$(sh -c '. "$0" && echo "$MCROSTER_CLUSTER $MCROSTER_EPOCH $MCROSTER_SERVERS"' "$LAB/rendered")" \
	"$LAB_CLUSTER 1 $(lab_server_address 1) $(lab_server_address 2) $(lab_server_address 3)"
check "mcrouter" render mcrouter
check "mcrouter's is JSON with its pool" python3 -c 'import json, sys
conf = json.load(open(sys.argv[1]))
assert len(conf["pools"][conf["route"]["pool"]]["servers"]) == 3' "$LAB/rendered"
check "haproxy" render haproxy
check "haproxy has its servers" equal "$(sed -n 's/^	server \(s[123]\) .* weight \([0-9]*\) check$/\1=\2/p' \
	"$LAB/rendered" | tr '\n' ' ')" "s1=100 s2=250 s3=37 "
refused "a label for memcached's proxy" 3 "knows no label such as 'it's{#1}:'" render memcached-proxy
"$BUILD/mcadmin" render --format xml >"$LAB/rendered" 2>&1
check "no such format" equal $? 2

LAB_WEIGHT=() LAB_LABEL=()
distributed "ketama"
refused "a ring of another program" 3 "only 'proxy-ring KIND' and 'proxy-jump'" render memcached-proxy
distributed "proxy-jump"
refused "a program's other way" 3 "only 'ketama-weighted HASH'" render twemproxy
check "memcached-proxy" render memcached-proxy
check "it is Lua" luac5.4 -p "$LAB/rendered"
[ -n "${MEMCACHED_PROXY:-}" ] || {
	say "skipped: memcached's proxy by its own distributions: MEMCACHED_PROXY names no memcached with a proxy"
	exit 0
}
user=()
[ "$(id -u)" != 0 ] || user=(-u root)
for distribution in proxy-jump "proxy-ring default" "proxy-ring ketama" "proxy-ring twemproxy" "proxy-ring evcache"; do
	[ "$distribution" = proxy-jump ] || distributed "$distribution"
	check "$distribution" render memcached-proxy
	rm -f "$LAB/fleet.sock"
	"$MEMCACHED_PROXY" -s "$LAB/fleet.sock" -m 64 -t 2 "${user[@]}" -o "proxy_config=$LAB/rendered" >"$LAB/proxy.log" 2>&1 &
	pid=$!
	LAB_BESIDE+=("$pid")
	lab_until "$LAB_WAIT_S" test -S "$LAB/fleet.sock" || fail "the proxy does not listen: $(tail -n 3 "$LAB/proxy.log")"
	check "it stores $KEYS items" stored
	check "every one is where libmcroster says" found
	lab_end "$pid"
done
