#!/usr/bin/env bash
# mcadmin with agents: pushing and watching a change from its beginning to its end, from near and
# from afar, and every way in which the watching ends early.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

LAB_RATE=150

json() { # NAME FILE: a member of the object in its last line
	tail -n 1 "$2" | sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}
says() { grep -Eq -- "$2" "$1" || { cat "$1" >&2 && return 1; }; } # FILE PATTERN

# documented COMMAND [ARGUMENT...]: so are all names in what it says with --json.
documented() {
	local wrong
	"$BUILD/mcadmin" "$@" --json >"$LAB/json" 2>"$LAB/json.err" </dev/null
	wrong=$("$(dirname "$0")/../lab/json_names.py" "$(dirname "$0")/../../docs/json.md" "$1" "$LAB/json" 2>&1)
	check "the names of $1 --json are documented" equal "$wrong" ""
}

lab_start 2
near=(--agent "$(lab_agent_socket 1)")
remote=(--agent "$LAB_NET.2:$LAB_AGENT_PORT" --agent-key "$LAB/2/host.key.pub" --psk "$LAB/psk")

say "near and afar"
"$BUILD/mcadmin" show "${near[@]}" --raw >"$LAB/raw" || fail "show --raw"
check "the agent's list is the one that was pushed" cmp "$LAB/raw" "$LAB/list"
"$BUILD/mcadmin" show "${remote[@]}" --cluster "$LAB_CLUSTER" -p "$LAB/operator.key.pub" \
	>"$LAB/show" || fail "show of a remote agent"
check "a remote agent's list verifies" says "$LAB/show" '^signed by .* valid'
"$BUILD/mcadmin" keygen --no-passphrase -o "$LAB/stranger.key" >/dev/null
refused "an agent's list against a stranger's key" 3 "sign" \
	"$BUILD/mcadmin" show "${near[@]}" -p "$LAB/stranger.key.pub"
"$BUILD/mcadmin" keygen --psk -o "$LAB/stranger.psk" >/dev/null
refused "a wrong pre-shared key" 1 "no agent answers: $LAB_NET.2:" \
	"$BUILD/mcadmin" status --agent "$LAB_NET.2:$LAB_AGENT_PORT" --cluster "$LAB_CLUSTER" \
	--agent-key "$LAB/2/host.key.pub" --psk "$LAB/stranger.psk"
refused "another host's key" 1 "no agent answers: $LAB_NET.2:" \
	"$BUILD/mcadmin" status --agent "$LAB_NET.2:$LAB_AGENT_PORT" --cluster "$LAB_CLUSTER" \
	--agent-key "$LAB/1/host.key.pub" --psk "$LAB/psk"
refused "another cluster" 1 "no agent answers: $LAB_NET.2:" \
	"$BUILD/mcadmin" status "${remote[@]}" --cluster other
"$BUILD/mcadmin" status "${near[@]}" >"$LAB/status" || fail "status"
check "status says the cluster is settled" says "$LAB/status" "^cluster +$LAB_CLUSTER, epoch 1, settled"
check "it fits a terminal" equal "$(awk 'length > 80' "$LAB/status" | wc -l)" 0
"$BUILD/mcadmin" status "${near[@]}" --raw >"$LAB/status" || fail "status --raw"
check "status --raw gives the agent's lines" says "$LAB/status" '^epoch 1$'
"$BUILD/mcadmin" route --segment "$(lab_segment 1)" user:1 user:2 >"$LAB/route" || fail "route"
"$BUILD/mcadmin" route --list "$LAB/list" user:1 user:2 | diff - "$LAB/route" >&2
check "the segment routes as the list says" equal "${PIPESTATUS[*]}" "0 0"

say "a change, watched in every way"
lab_load_start 4000 "1 2" --readers 1 --writers 1
lab_load fill
lab_server_start 3
LAB_RATE=300 lab_agent_start 3
lab_conf 1 2 3
lab_list_plan >"$LAB/plan.log" 2>&1 || fail "plan from the agent"
check "plan says what moves" says "$LAB/plan.log" '^moves +5461 of 16384 slots: 33.3 %$'
"$BUILD/mcadmin" plan "$LAB/cluster.conf" --parent none --ask yes >"$LAB/first" || fail "plan of a first list"
check "of a first list it says that its servers are in use" says "$LAB/first" '^HELD +[0-9]{4} keys are on [23] of these servers'
check "and where to read on" says "$LAB/first" "docs/runbook.md, \"I lost the operator's key\""
"$BUILD/mcadmin" push "$LAB/list" "${near[@]}" --no-wait >"$LAB/push.log" || fail "push --no-wait"
check "push --no-wait says that it runs by itself" says "$LAB/push.log" '^Epoch 2 is accepted'
lab_wait_segment 1 copy
"$BUILD/mcadmin" push "$LAB/list" "${remote[@]}" --timeout 1 --json >"$LAB/push.log" 2>"$LAB/push.err"
check "push --timeout 1 of the same list from afar stops waiting" equal $? 4
check "it says that the change goes on" says "$LAB/push.err" 'the change goes on by itself'
check "the object says so too" equal "$(json result "$LAB/push.log")" timeout
"$BUILD/mcadmin" route --segment "$(lab_segment 1)" --json user:{1..200} | tr '{' '\n' >"$LAB/route"
check "route shows old and new owners" says "$LAB/route" '"server":"s[12]".*"next_server":"s3"'
"$BUILD/mcadmin" status "${near[@]}" >"$LAB/status" || fail "status"
check "status shows the change" says "$LAB/status" '^cluster .*epoch 1 -> 2, [A-Z]+$'
check "and its progress" says "$LAB/status" '^keys +[0-9]+ keys moved \([0-9.]+ %\)'
check "it fits a terminal" equal "$(awk 'length > 80' "$LAB/status" | wc -l)" 0
for command in status top clients show "diff active pending" "pace --keys 300"; do
	# shellcheck disable=SC2086 # words
	documented $command "${near[@]}"
done
documented route --segment "$(lab_segment 1)" user:1
documented doctor --conf "$LAB/1/agent.conf" --all
documented push "$LAB/list" "${near[@]}" --no-wait
documented plan "$LAB/cluster.conf" "${near[@]}"
documented apply "$LAB/cluster.conf" -k "$LAB/operator.key" "${near[@]}" --yes --no-wait
documented abort -k "$LAB/operator.key" "${near[@]}" --yes -o "$LAB/abort"

"$BUILD/mcadmin" push "$LAB/list" "${near[@]}" >"$LAB/push.log" 2>"$LAB/push.err" &
watching() { [ -s "$LAB/push.log" ]; }
lab_until "$LAB_WAIT_S" watching || fail "push shows no progress"
# A shell's background job ignores SIGINT, but what is caught is caught all the same.
kill -INT $!
wait $!
check "Ctrl-C ends the watching" equal $? 130
check "it says that the change goes on" says "$LAB/push.err" 'interrupted; the change goes on'

command -v script >/dev/null || fail "script(1) is missing"
script -qec "'$BUILD/mcadmin' push '$LAB/list' ${near[*]} --timeout 60" "$LAB/typescript" \
	</dev/null >"$LAB/screen" 2>&1
check "on a terminal push waits to the end" equal $? 0
check "it shows a bar for each server" says "$LAB/screen" '^  s1 #*\.* +[0-9.]+ %.*'
check "it redraws them in their place" says "$LAB/screen" $'\033\\[[0-9]+A\r\033\\[J +[0-9.]+ s  (COPY|DRAIN) +[0-9]+ keys moved'
check "and takes them away" says "$LAB/screen" $'\033\\[JSettled on epoch 2 in [0-9.]+ s: 33.3 % of the slots, '
"$BUILD/mcadmin" push "$LAB/list" "${near[@]}" --json >"$LAB/push.log" || fail "push when it has settled"
check "push of a list that has settled is done at once" equal "$(json result "$LAB/push.log")" settled
check "its slots" equal "$(json slots_moved "$LAB/push.log")" 5461
check "its per cent" equal "$(json percent_moved "$LAB/push.log")" 33.3
check "its keys" between 1000 "$(json keys_moved "$LAB/push.log")" 1700
check "none failed" equal "$(json keys_failed "$LAB/push.log")" 0
lab_load verify
lab_load_zeros

say "an agent that goes away while it is asked"
lab_conf 1 2
lab_list_plan >"$LAB/plan.log" 2>&1 || fail "plan"
"$BUILD/mcadmin" push "$LAB/list" --agent "$(lab_agent_socket 2)" --timeout 90 --json \
	>"$LAB/push.log" 2>"$LAB/push.err" &
LAB_PUSH_PID=$!
lab_wait_segment 2 copy
lab_agent_kill 2
silent() { grep -q 'no agent answers\|connection ended' "$LAB/push.log"; }
lab_until "$LAB_WAIT_S" silent || fail "push does not say that the agent is gone"
lab_agent_start 2
check "push goes on when the agent is back" lab_push_wait
check "and sees the end" equal "$(json result "$LAB/push.log")" settled
