#!/usr/bin/env bash
# The discovery endpoint through a change that is undone, one that is not, and restarts: what it shows
# byte by byte, that the list flips at SWITCH, and that the version only grows, at every agent.  Then
# stock clients from npm (their versions pinned by tests/npm/package-lock.json): each finds the servers,
# finds the one that joins, and reads what it wrote before, meanwhile and since.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
NPM=$top/build/npm
KEYS=200
PORT=21214

endpoint() { echo "$LAB_NET.$1:$PORT"; }

# asked N COMMAND: all that comes, quit included, as it is.
asked() {
	local fd
	exec {fd}<>"/dev/tcp/$LAB_NET.$1/$PORT" || return 1
	printf '%s\r\nquit\r\n' "$2" >&"$fd"
	timeout 10 cat <&"$fd"
	exec {fd}>&-
}

# shown VERSION HOST...: how the list must look
shown() {
	local text=$1$'\n' n
	shift
	for n in "$@"; do text+="$LAB_NET.$n|$LAB_NET.$n|$LAB_SERVER_PORT "; done
	text=${text% }$'\n'
	printf 'CONFIG cluster 0 %s\r\n%s\r\nEND\r\n' ${#text} "$text" >"$LAB/expected"
}

shows() { # N VERSION HOST...
	local n=$1
	shift
	shown "$@"
	asked "$n" "config get cluster" >"$LAB/shown" 2>/dev/null
	cmp -s "$LAB/shown" "$LAB/expected"
}

# version_read N: never less than before
declare -A seen=()
version_read() {
	local version
	version=$(asked "$1" "config get cluster" 2>/dev/null | sed -n 's/^\([0-9][0-9]*\)$/\1/p')
	[ -n "$version" ] || return 0
	[ "$version" -ge "${seen[$1]:-1}" ] || fail "a$1 shows version $version after ${seen[$1]}"
	seen[$1]=$version
}

discovering() { # N
	lab_agent_conf "$1"
	echo "discovery = \"$(endpoint "$1")\"" >>"$LAB/$1/agent.conf"
	lab_agent_start "$1"
}

npm_able() {
	mkdir -p "$NPM" && cp "$top"/tests/npm/package.json "$top"/tests/npm/package-lock.json "$NPM" || return
	cmp -s "$NPM/package-lock.json" "$NPM/installed" && return
	rm -f "$NPM/installed"
	(cd "$NPM" && timeout 200 npm ci --ignore-scripts --no-audit --no-fund) >"$LAB/npm.log" 2>&1 || return
	cp "$NPM/package-lock.json" "$NPM/installed"
}

LAB_DISTRIBUTION='distribution = "ketama"'
LAB_SETTINGS='unaware-clients = yes
unaware-poll = 1500'
LAB_LEASE_MS=3000 LAB_STEADY_LEASE_MS=6000 LAB_OP_TIMEOUT_MS=900
lab_new
npm_able &
npm=$!
LAB_BESIDE+=("$npm")
for n in 1 2 3; do lab_server_start "$n"; done

say "not from elsewhere, and off by default"
lab_agent_conf 1
cp "$LAB/1/agent.conf" "$LAB/open.conf"
echo "discovery = \"0.0.0.0:$PORT\"" >>"$LAB/open.conf"
refused "an address that others can reach" 78 "discovery: found '0.0.0.0:$PORT', expected a loopback address" \
	"$BUILD/mcrosterd" -c "$LAB/open.conf" --check

discovering 1
discovering 2
discovering 3
check "no list, no servers" equal "$(asked 1 "config get cluster")" $'SERVER_ERROR the agent has no list yet\r'
lab_first_list 1 2
for n in 1 2; do
	lab_until "$LAB_WAIT_S" shows "$n" 1 1 2 || fail "a$n shows $(cat "$LAB/shown")"
done
say "  ok: both agents show version 1 with two servers"
shown 1 1 2
sed 's/^CONFIG cluster/VALUE AmazonElastiCache:cluster/' "$LAB/expected" >"$LAB/value"
asked 1 "get AmazonElastiCache:cluster" >"$LAB/shown"
check "the older form is a value" cmp "$LAB/shown" "$LAB/value"
check "version" equal "$(asked 1 version)" $'VERSION 1.4.14\r'
check "stats" grep -q "^STAT config_version 1" <(asked 1 stats)
check "rubbish is an error" equal "$(asked 1 $'\x80nonsense')" $'ERROR\r'

say "a change that is undone"
lab_server_stop 3
lab_conf 1 2 3
lab_push_start
lab_wait_segment 1 prepare
check "it is not shown before SWITCH" shows 1 1 1 2
lab_ordered abort
lab_push_wait
lab_server_cont 3
lab_until 30 lab_settled 1 || fail "it is not undone"
check "nor after it was undone" shows 1 1 1 2

# ---- clients from npm ----

CLIENTS="memcache memcache-older memcached-elasticache elasticache-client"
declare -A CLIENT_IN=() CLIENT_OUT=()

# told NAME COMMAND, and heard NAME: its answer, in ANSWER.  All are told before the first is heard.
told() { printf '%s\n' "$2" >&"${CLIENT_IN[$1]}" || fail "$1 has ended"; }
heard() { IFS= read -r -t 60 -u "${CLIENT_OUT[$1]}" ANSWER || fail "$1 does not answer"; }
client_has() { told "$1" servers && heard "$1" && [ "$ANSWER" = "$2" ]; }

clients_have() { # COUNT
	local name
	for name in $CLIENTS; do
		lab_until 20 client_has "$name" "$1" || fail "$name has $ANSWER servers, not $1"
	done
	say "  ok: each client has $1 servers"
}
clients_write() { # WHAT
	local name
	for name in $CLIENTS; do told "$name" "write $1"; done
	for name in $CLIENTS; do
		heard "$name"
		check "$name has written $1" equal "$ANSWER" $KEYS
	done
}
clients_read() { # WHAT
	local name
	for name in $CLIENTS; do told "$name" "read $1"; done
	for name in $CLIENTS; do
		heard "$name"
		check "$name reads $1" equal "$ANSWER" "found $KEYS wrong 0 missed 0"
	done
}

able=1
if wait "$npm"; then
	cp "$top/tests/npm/clients.mjs" "$NPM"
	for name in $CLIENTS; do
		mkfifo "$LAB/$name.in" "$LAB/$name.out"
		(cd "$NPM" && exec node clients.mjs "$(endpoint 1)" $KEYS "$name") \
			<"$LAB/$name.in" >"$LAB/$name.out" 2>"$LAB/$name.log" &
		LAB_BESIDE+=($!)
		exec {fd}>"$LAB/$name.in"
		CLIENT_IN[$name]=$fd
		exec {fd}<"$LAB/$name.out"
		CLIENT_OUT[$name]=$fd
	done
	clients_have 2
	clients_write before
	clients_read before
else
	able=
	say "skipped: clients from npm: npm ci: $(tail -n 1 "$LAB/npm.log")"
fi

say "a change that is not"
lab_push_start
lab_wait_segment 1 copy
version_read 1
lab_wait_segment 1 switch
# So it does not settle meanwhile: DRAIN looks at what the new server has.
lab_server_stop 3
lab_until 10 shows 1 3 1 2 3 || fail "SWITCH shows $(cat "$LAB/shown")"
lab_until 10 shows 2 3 1 2 3 || fail "a2 shows $(cat "$LAB/shown")"
check "the change has not settled" equal "$(lab_status settled)" false
lab_server_cont 3
say "  ok: it flips at SWITCH, to version 3: that of the undone change is not used again"
check "epoch 3 settles" lab_push_wait
for n in 1 2 3; do check "a$n shows it" shows "$n" 3 1 2 3; done
if [ -n "$able" ]; then
	clients_have 3
	clients_read before
	held=$(lab_server_stat 3 curr_items)
	clients_write after
	clients_read after
	check "the new server is used" [ "$held" -gt 0 ]
	check "the snippet of the README" equal \
		"$(cd "$NPM" && NODE_PATH=$NPM/node_modules timeout 20 node "$top/bindings/discovery/greeting.js" "$(endpoint 2)" 2>&1)" "good morning"
fi

say "an agent is killed and started again"
lab_agent_kill 2
discovering 2
lab_until "$LAB_WAIT_S" shows 2 3 1 2 3 || fail "a2 shows $(cat "$LAB/shown")"
say "  ok: the version stays"

say "and back: s3 leaves"
lab_conf 1 2 a3
check "epoch 4 settles" lab_change
for n in 1 2 3; do check "a$n shows version 4" shows "$n" 4 1 2; done
version_read 1
[ -z "$able" ] || {
	clients_have 2
	clients_read after
}
