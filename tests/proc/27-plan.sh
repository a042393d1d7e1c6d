#!/usr/bin/env bash
# mcadmin plan says how many keys and bytes will move and for how long, from what the servers say;
# it touches nothing, and what is said of each server while they move adds up at any time.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=12000
LAB_RATE=2500

plan() { # ARGUMENT...
	"$BUILD/mcadmin" plan "$LAB/cluster.conf" --agent "$(lab_agent_socket 1)" "$@"
}
holding() { # what does not expire meanwhile
	{ lab_dump 1 && lab_dump 2; } | sed -n '/ exp=-1 /s/ la=[0-9]*//p'
}
foretold() { # FIELD [FILE]: the first of that name
	grep -oE "\"$1\":[^,}]*" "${2:-$LAB/plan.json}" | sed -n "1s/^[^:]*://p"
}
adds_up() { # FILE of raw statuses: says how many lines were looked at
	awk '/^(server|host) .* found=/ {
		split("", v)
		for (i = 3; i <= NF; i++) if (split($i, p, "=") == 2) v[p[1]] = p[2]
		if (v["found"] != v["moved"] + v["present"] + v["expired"] + v["gone"] + v["failed"] + v["cold"] + v["left"]) bad++
		if ("failed-refused" in v && v["failed"] != v["failed-refused"] + v["failed-both-sides"] + v["failed-too-often"] + v["failed-late"] + v["failed-given-up"]) bad++
		if (v["found"] > 0) lines++
		if (v["left"] > 0) running++
	}
	/^change-keys-/ { c[$1] = $2 }
	/^change-ms / {
		sum = 0
		for (n in c) if (n != "change-keys-found") sum += c[n]
		if (c["change-keys-found"] != sum) bad++
		split("", c)
	}
	END { print (bad + 0), (lines + 0), (running + 0); exit bad > 0 || lines < 4 || running < 2 }' "$1"
}
watch_push() { # until the push ends: every status of every agent
	while kill -0 "$LAB_PUSH_PID" 2>/dev/null; do
		for n in 1 2 3; do "$BUILD/mcadmin" status --agent "$(lab_agent_socket "$n")" --raw; done
	done >"$LAB/statuses" 2>/dev/null
}

lab_start 2
lab_load_start $KEYS "1 2" --readers 1 --writers 1 --rate 200
lab_load fill
lab_server_start 3
lab_agent_start 3
lab_server_start 4 -m 1 -I 512k
lab_agent_start 4

say "what will move"
lab_conf 1 2 3
holding >"$LAB/before"
check "plan --json" plan --json >"$LAB/plan.json"
holding >"$LAB/after"
check "what does not expire is there" between $((KEYS / 2)) "$(wc -l <"$LAB/after")" $KEYS
check "nothing is touched" cmp -s "$LAB/before" "$LAB/after"
check "about a third of the keys" between $((KEYS * 30 / 100)) "$(foretold keys)" $((KEYS * 37 / 100))
check "they have bytes" between $((KEYS * 15)) "$(foretold bytes)" $((KEYS * 500))
check "the limit of the agents counts" equal "$(foretold rate_keys)" $LAB_RATE
check "two walks of about 2000 keys at that rate" between 1000 "$(foretold ms)" 2400
check "all were asked" equal "$(foretold not_asked)" 0
plan >"$LAB/plan.txt"
check "people are told as well" grep -Eq '^keys +about [0-9]+, [0-9.]+ [kM]B$' "$LAB/plan.txt"
check "and for how long" grep -Eq '^takes +about [0-9.]+ s$' "$LAB/plan.txt"
check "and what that assumes" grep -q "at most $LAB_RATE keys/s a host" "$LAB/plan.txt"
plan --rate-keys 20 >"$LAB/plan.txt"
check "at 20 keys a second it takes minutes" grep -Eq '^takes +about [23] min' "$LAB/plan.txt"
plan --ask no --json >"$LAB/quiet.json"
check "where nobody is to be asked nothing is foretold" equal "$(foretold keys "$LAB/quiet.json")" ""

say "a server that does not answer"
lab_server_stop 2
plan >"$LAB/plan.txt"
lab_server_cont 2
check "is named, and what that means" grep -Eq '^not asked +s2 .*; what it holds is not counted$' "$LAB/plan.txt"

say "a new owner that is too small"
lab_conf a1 4
plan --json >"$LAB/small.json"
check "is found" grep -q '"name":"s4".*"too_small":true' "$LAB/small.json"
plan >"$LAB/plan.txt"
check "and named" grep -Eq '^too small +s4: [0-9.]+ [kM]B are to come and ' "$LAB/plan.txt"

say "what did move"
lab_conf 1 2 3
lab_push_start
watch_push
check "the change goes through" lab_push_wait
moved=$(lab_status change_keys_moved)
check "as many keys as foretold, within 10 %" between $((moved * 9)) $(($(foretold keys) * 10)) $((moved * 11))
check "what was said meanwhile adds up" adds_up "$LAB/statuses"
adds_up "$LAB/statuses" | sed 's/^\(.*\) \(.*\) \(.*\)$/      \2 counts looked at, \3 of them while keys were left, \1 wrong/'
lab_load verify
lab_load_zeros
