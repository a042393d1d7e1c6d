#!/usr/bin/env bash
# Proxies with mcroster's routes, and unmodified programs pointed at them: servers come and go under
# their load; then an agent and a proxy are killed in the middle of a change.  Nothing stale is ever
# read, nothing is missed but what a killed proxy had in its hands, and no key is left where it does not belong.
# Here the proxy is a stand-in in plain Lua; 81-proxy-real.sh is the same with memcached's own.
# limit: 600
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/proxy.sh
. "$(dirname "$0")/../lab/proxy.sh"

KEYS=${PROXY_KEYS:-2000}
RESIZES=${PROXY_RESIZES:-2}
WRITES=${PROXY_WRITES:-300} # after each change
# PROXY_KILLS: the phases in which an agent and a proxy are killed

resize() { # EPOCH HOST...: the change goes through, and clients write meanwhile and afterwards
	local epoch=$1
	shift
	lab_conf "$@"
	check "epoch $epoch settles" lab_change "" 120
	settled
}

# Clients go on while nothing moves: then an incr finds every counter, and a cas every key.
settled() {
	local missed
	through pause
	through report
	missed=$(updates_missed)
	through go
	through_more "$WRITES"
	check "updates that found nothing while nothing moves" equal "$(updates_missed)" "$missed"
}
updates_missed() { echo $(($(lab_load_number updates_missed) + $(lab_load_number cas_lost))); }

rest() { # [ADDRESS...]
	through pause
	lab_load pause
	through_settle
	lab_load settle
	through verify
	lab_load verify
	through_zeros
	through_doubts
	lab_load_zeros
	lab_inspect_zeros "$@"
	through go
	lab_load run
}

# What a host on a busy machine can hold.
LAB_LEASE_MS=5000 LAB_STEADY_LEASE_MS=10000 LAB_OP_TIMEOUT_MS=1000
LAB_RATE=4000
lab_start 3
lab_server_start 4
lab_agent_start 4
while IFS= read -r line; do
	grep -qF "    $line" "$PROXY_TOP/README.md" || fail "the README has another example: $line"
done <"$PROXY_TOP/bindings/proxy/examples/proxy.lua"
for n in 1 2; do
	proxy_conf "$n"
	proxy_start "$n"
done
lab_server_start 9 # of nobody's list
for seed in 1 2; do
	check "a proxy answers as a memcached does" /usr/bin/python3 "$PROXY_TOP/tests/proxy/compare.py" \
		"$(proxy_address $seed)" "$(lab_server_address 9)" $seed 1000
done
lab_server_kill 9

# A token that the owner itself would take, but that this proxy has not given.
proxy_talk 1 $'set token 0 0 1\r\nx' >/dev/null
owner=$("$BUILD/mcadmin" route --segment "$(lab_segment 1)" token | sed -n 's/^token .* s\([0-9]\) .*/\1/p')
token=$(lab_memcached "$owner" "gets token" | awk '/^VALUE/ { print $5 }')
check "a token of another way is refused" equal "$(proxy_talk 1 $'cas token 0 0 1 '"$token"$'\r\ny')" EXISTS
proxy_talk 1 "gets token" >/dev/null
check "one of the proxy's own is taken" equal "$(proxy_talk 1 $'cas token 0 0 1 '"$token"$'\r\ny')" STORED

mkfifo "$LAB/tokens.in" "$LAB/tokens.out"
env "${PROXY_ENV[@]}" lua5.4 "$PROXY_TOP/tests/proxy/tokens.lua" "$(lab_segment 3)" \
	<"$LAB/tokens.in" >"$LAB/tokens.out" 2>&1 &
LAB_BESIDE+=($!)
exec {tokens_in}>"$LAB/tokens.in" {tokens_out}<"$LAB/tokens.out"
read -r -t 30 -u "$tokens_out" answer
check "tokens are given" equal "$answer" given
through_start "$KEYS" text=1 text=2 meta=1 meta=2 pylibmc=1 pylibmc=2 php=1 php=2
through fill
through go
lab_load_start 3000 "1 2 3" --readers 1 --writers 1 --rate 1000
lab_load fill
lab_load run
settled

epoch=1
for ((round = 0; round < RESIZES; round++)); do
	epoch=$((epoch + 1))
	if [ $((round % 2)) = 0 ]; then
		say "s4 joins"
		resize $epoch 1 2 3 4
		if [ $round = 0 ]; then
			echo >&"$tokens_in"
			read -r -t 30 -u "$tokens_out" answer
			check "tokens hold at the server that gave them: $answer" test "${answer#*stayed}" != "$answer"
		fi
		rest
	else
		say "s4 leaves"
		resize $epoch 1 2 3 a4
		rest "$(lab_server_address 4)"
	fi
	for n in 1 2; do
		lab_until "$LAB_WAIT_S" equal "$(proxy_stat $n epoch)" $epoch || fail "the proxy of host $n: epoch"
	done
done
through report
check "writes while servers came and went" between $((RESIZES * WRITES)) "$(lab_load_number writes)" 100000000
for name in sets adds deletes cas incrs; do
	check "$name" between 5 "$(lab_load_number $name)" 100000000
done
say "  operations that failed: $(($(lab_load_number failed) + $(lab_load_number unsent))) writes, $(lab_load_number reads_failed) reads"

joined=$((RESIZES % 2))
for phase in ${PROXY_KILLS:-copy}; do
	say "in ${phase^^} the agent of a proxy is killed, and the proxy of another host"
	joined=$((1 - joined))
	if [ $joined = 1 ]; then
		lab_conf 1 2 3 4
		beside=()
	else
		lab_conf 1 2 3 a4
		beside=("$(lab_server_address 4)")
	fi
	lab_push_start "" 120
	lab_kill_in 2 "$phase"
	proxy_kill 1
	proxy_start 1
	lab_agent_start 2
	check "the change goes through" lab_push_wait
	settled
	rest "${beside[@]}"
done
