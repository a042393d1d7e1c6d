#!/usr/bin/env bash
# Lists, configurations, memcacheds and segments that must not be accepted: each is refused by one
# sentence that names the thing and the rule, and nothing changes.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

LAB_RATE=100

lasting() { lab_dump "$1" | grep ' exp=-1 '; } # the other items go by themselves
state() { # what must not change
	local n
	for n in 1 2; do
		lab_shown "$n"
		lasting "$n"
	done
	lab_status epoch
	lab_status serial
	lab_status phase
}
remember() { state >"$LAB/state.before"; }
unchanged() {
	state >"$LAB/state.after"
	check "nothing changed" diff "$LAB/state.before" "$LAB/state.after"
}

push() { # LIST
	"$BUILD/mcadmin" push "$1" --agent "$(lab_agent_socket 1)" --timeout 30 --json
}
sign() { "$BUILD/mcadmin" sign -k "${2:-$LAB/operator.key}" "$1" >/dev/null; }
plan() { # CONF OUT [ARGUMENT...]
	local conf=$1 out=$2
	shift 2
	"$BUILD/mcadmin" plan "$conf" -o "$out" "$@" >/dev/null || fail "mcadmin plan"
}

lab_start 2
agent=(--agent "$(lab_agent_socket 1)")
cp "$LAB/list" "$LAB/list.1"
"$BUILD/mcadmin" keygen --no-passphrase -o "$LAB/stranger.key" >/dev/null
lab_load_start 4000 "1 2" --readers 1 --writers 1
lab_load fill
lab_agent_conf 3
lab_conf 1 2 3
cp "$LAB/cluster.conf" "$LAB/three.conf"
remember

say "lists"
plan "$LAB/three.conf" "$LAB/unsigned" "${agent[@]}"
refused "a list without signature" 3 "sign" push "$LAB/unsigned"
plan "$LAB/three.conf" "$LAB/strange" "${agent[@]}"
sign "$LAB/strange" "$LAB/stranger.key"
refused "a list signed by a stranger" 3 "sign" push "$LAB/strange"
sed 's/^cluster = .*/cluster = "other"/' "$LAB/three.conf" >"$LAB/other.conf"
"$BUILD/mcadmin" plan "$LAB/other.conf" --parent none -o "$LAB/other" >/dev/null
sign "$LAB/other"
refused "a list of another cluster" 3 "other" push "$LAB/other"
plan "$LAB/three.conf" "$LAB/next" "${agent[@]}"
sign "$LAB/next"
size=$(stat -c %s "$LAB/next")
for at in 3 $((size / 7)) $((size / 3)) $((size / 2)) $((size - 120)) $((size - 20)) $((size - 1)); do
	cp "$LAB/next" "$LAB/damaged"
	byte=$(dd if="$LAB/next" bs=1 skip="$at" count=1 2>/dev/null | od -An -tu1 | tr -d ' ')
	# shellcheck disable=SC2059 # the escape is the byte
	printf "\\x$(printf %x $((byte ^ 1)))" |
		dd of="$LAB/damaged" bs=1 seek="$at" conv=notrunc 2>/dev/null
	refused "byte $at of $size changed" 3 . push "$LAB/damaged"
done
malformed() { # WHAT PATTERN SED-SCRIPT: neither signed nor, with a signature of before, taken
	sed -E "$3" "$LAB/unsigned" >"$LAB/malformed"
	refused "$1, to be signed" 3 "$2" "$BUILD/mcadmin" sign -k "$LAB/operator.key" "$LAB/malformed"
	sed -E "$3" "$LAB/next" >"$LAB/malformed"
	refused "$1, to be pushed" 3 "$2" push "$LAB/malformed"
}
long=$(printf '%01000d' 7)
malformed "a line too long" "line [0-9]+" "s/^created .*/created $long/"
malformed "a server twice" "line [0-9]+.*(server|s2)" 's/^(server s1 .*)$/\1\n\1/'
malformed "a server with another one's address" "line [0-9]+.*$LAB_NET.1" \
	"s/^(server s2) [^ ]*/\1 $(lab_server_address 1)/"
malformed "a slot of a server that is not there" "slot" 's/^slots ..../slots \/\/\/\//'
"$BUILD/mcadmin" plan "$LAB/three.conf" --parent none -o "$LAB/again" >/dev/null
sign "$LAB/again"
refused "another first list" 3 "epoch|parent" push "$LAB/again"
unchanged

say "configurations"
cp "$LAB/3/agent.conf" "$LAB/3/wrong.conf"
echo 'colour = "blue"' >>"$LAB/3/wrong.conf"
refused "agent.conf with an unknown key" - "wrong.conf:[0-9]+: colour" \
	"$BUILD/mcrosterd" -c "$LAB/3/wrong.conf"
sed 's/^threshold.*/threshold = 0/' "$LAB/3/agent.conf" >"$LAB/3/wrong.conf"
refused "agent.conf with threshold 0" - "wrong.conf:[0-9]+: threshold" \
	"$BUILD/mcrosterd" -c "$LAB/3/wrong.conf"
chmod 0644 "$LAB/3/host.key"
refused "a host key that others can read" - "host.key" "$BUILD/mcrosterd" -c "$LAB/3/agent.conf"
chmod 0600 "$LAB/3/host.key"
{
	cat "$LAB/three.conf"
	echo 'colour = "blue"'
} >"$LAB/wrong.conf"
refused "cluster.conf with an unknown key" - "wrong.conf:[0-9]+.*colour" \
	"$BUILD/mcadmin" plan "$LAB/wrong.conf" -o "$LAB/none" "${agent[@]}"
sed 's/^lease .*/lease = 600/' "$LAB/three.conf" >"$LAB/wrong.conf"
refused "cluster.conf whose lease is not above three op-timeouts" - "lease" \
	"$BUILD/mcadmin" plan "$LAB/wrong.conf" -o "$LAB/none" "${agent[@]}"
unchanged

say "ports and sockets in use"
LAB_SERVER_PORT=$LAB_AGENT_PORT lab_server_start 3
refused "the agent's port is in use" - "$LAB_NET.3:$LAB_AGENT_PORT" \
	"$BUILD/mcrosterd" -c "$LAB/3/agent.conf"
lab_server_kill 3
sed "s|^control-socket.*|control-socket = \"$(lab_agent_socket 1)\"|" "$LAB/3/agent.conf" >"$LAB/3/wrong.conf"
refused "another agent's control socket" - "$(lab_agent_socket 1)" \
	"$BUILD/mcrosterd" -c "$LAB/3/wrong.conf"
sed "s|^state-directory.*|state-directory = \"$LAB/1/state\"|" "$LAB/3/agent.conf" >"$LAB/3/wrong.conf"
refused "another agent's state directory" - "$LAB/1/state" "$BUILD/mcrosterd" -c "$LAB/3/wrong.conf"
unchanged

say "segments"
segment=/dev/shm$(lab_segment 3)
fingerprint() { stat -c '%i %s %a %u' "$segment" && cksum <"$segment"; }
refused_segment() { # WHAT PATTERN
	fingerprint >"$LAB/segment.before"
	refused "$1" - "$2" "$BUILD/mcrosterd" -c "$LAB/3/agent.conf"
	fingerprint >"$LAB/segment.after"
	check "it is left as it was" diff "$LAB/segment.before" "$LAB/segment.after"
}
client_refuses() {
	refused "a client: $1" - "$(lab_segment 3)" \
		"$LAB_TOOLS/load" --segment "$(lab_segment 3)" --keys 1
}
sed "s|^segment.*|segment = \"$(lab_segment 1)\"|" "$LAB/3/agent.conf" >"$LAB/3/wrong.conf"
refused "a segment that another agent writes" - "$(lab_segment 1)" \
	"$BUILD/mcrosterd" -c "$LAB/3/wrong.conf"
rm -f "$segment" # of an agent that did not come up
client_refuses "no segment"
head -c 5000 /dev/zero >"$segment"
chmod 0644 "$segment"
refused_segment "a file that is no segment" "$(lab_segment 3).*not a segment"
client_refuses "a file that is no segment"
cp "/dev/shm$(lab_segment 1)" "$segment"
printf '\x63' | dd of="$segment" bs=1 seek=8 conv=notrunc 2>/dev/null
client_refuses "a segment of another layout version"
cp "/dev/shm$(lab_segment 1)" "$segment"
chmod 0666 "$segment"
refused_segment "a segment that others may write to" "$(lab_segment 3).*mode 0?666"
client_refuses "a segment that others may write to"
chmod 0644 "$segment"
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$segment"
	refused_segment "a segment of another user" "$(lab_segment 3).*(owner|user)"
	client_refuses "a segment of another user"
	chown 0 "$segment"
fi
rm -f "$segment"
unchanged

say "memcacheds that cannot take part"
refuse_server() { # OPTION PATTERN
	lab_server_start 3 "$1"
	plan "$LAB/three.conf" "$LAB/next" "${agent[@]}"
	sign "$LAB/next"
	"$BUILD/mcadmin" push "$LAB/next" "${agent[@]}" --timeout 60 --json >"$LAB/push.log" 2>&1
	check "a memcached with $1: the change is undone" equal $? 3
	check "the reason names it" grep -Eq "$2" "$LAB/push.log"
	say "      $(tail -n 1 "$LAB/push.log" | cut -c1-220)"
	lab_until 10 lab_settled 1 || fail "the cluster is not settled under epoch 1"
	lab_server_kill 3
	lab_load verify
	lab_load_zeros
}
lab_agent_start 3
refuse_server -C "(s3|$LAB_NET.3).*-C"
refuse_server -X "(s3|$LAB_NET.3).*-X"
check "no item was lost or added" equal \
	"$(for n in 1 2; do lasting $n; done | sed 's/ la=[0-9]*//; s/ fetch=[a-z]*//' | cksum)" \
	"$(grep '^key=' "$LAB/state.before" | sed 's/ la=[0-9]*//; s/ fetch=[a-z]*//' | cksum)"

say "a change while another runs, and after it"
lab_server_start 3
sed 's/^slots.*/slots = 32768/' "$LAB/three.conf" >"$LAB/rival.conf"
plan "$LAB/rival.conf" "$LAB/rival" "${agent[@]}" --epoch 90
sign "$LAB/rival"
plan "$LAB/rival.conf" "$LAB/twin" "${agent[@]}"
sign "$LAB/twin"
cp "$LAB/three.conf" "$LAB/cluster.conf"
lab_push_start "" 60
lab_wait_segment 1 copy
refused "a second change while one runs" 3 "busy.*COPY" push "$LAB/rival"
refused "a second list of the same epoch" 3 "epoch" push "$LAB/twin"
check "the first one goes through" lab_push_wait
remember
refused "a second list of the epoch that is active" 3 "epoch" push "$LAB/twin"
refused "the first list again" 3 "epoch" push "$LAB/list.1"
refused "a list whose parent is not the active one" 3 "parent" push "$LAB/rival"
unchanged
lab_load verify
lab_load_zeros
