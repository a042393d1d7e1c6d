#!/usr/bin/env bash
# parallel
# on-change: the operator's command is told of each list once, also of the one that was there before
# the agent; with its arguments as they are; never two at once, then the newest alone; one that takes
# too long is killed with all that it started; one that prints a lot, fails or is not there is the log's.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

told() { cat "$LAB/told" 2>/dev/null; }
told_is() { [ "$(told)" = "$1" ]; }
logged() { grep -q "$1" "$LAB/1/agent.log"; }
gone() { ! kill -0 "$1" 2>/dev/null; }
change() {
	lab_conf "$@"
	check "a change to $*" lab_change "" 60
}

lab_new
cat >"$LAB/command" <<'END'
#!/bin/sh
# A child that would outlive its parent, then until $LAB/held is gone.
echo "begin $MCROSTER_EPOCH $MCROSTER_CLUSTER $# $1" >>"$2/told"
"$3" render --agent "$MCROSTER_CONTROL" --format env >"$2/rendered" 2>&1
sleep 600 & child=$!
echo $child >"$2/child"
while [ -e "$2/held" ]; do sleep 0.05; done
kill $child
echo "end $MCROSTER_EPOCH" >>"$2/told"
[ -e "$2/failing" ] || exit 0
head -c 1000000 /dev/zero | tr '\0' x
echo
exit 1
END
chmod 755 "$LAB/command"

for n in 1 2; do lab_agent_conf "$n"; done
printf 'on-change = { "relative" }\n' >>"$LAB/1/agent.conf"
refused "a relative path" - "on-change: found 'relative', expected the absolute path of a program" \
	"$BUILD/mcrosterd" -c "$LAB/1/agent.conf" --check
lab_agent_conf 1
# shellcheck disable=SC2016
printf 'on-change = { "%s", "$HOME; a b", "%s", "%s" }\non-change-timeout = 3000\n' "$LAB/command" "$LAB" \
	"$BUILD/mcadmin" >>"$LAB/1/agent.conf"
for n in 1 2 3; do lab_server_start "$n"; done
for n in 1 2; do lab_agent_start "$n"; done
LAB_AGENT_OF[3]=2
# shellcheck disable=SC2016
begin="$LAB_CLUSTER 3 "'$HOME; a b'

lab_first_list 1 2
check "it is told of the first list" lab_until "$LAB_WAIT_S" told_is "begin 1 $begin
end 1"
check "the list can be rendered" grep -qx 'MCROSTER_EPOCH="1"' "$LAB/rendered"

say "two changes while it runs"
: >"$LAB/told"
: >"$LAB/held"
sed -i 's/on-change-timeout.*/on-change-timeout = 60000/' "$LAB/1/agent.conf"
lab_end "${LAB_AGENT_PID[1]}"
lab_agent_start 1
check "it is told of what was there at the start" lab_until "$LAB_WAIT_S" told_is "begin 1 $begin"
change 1 2 3
change 1 2
told_is "begin 1 $begin" || fail "two at once: $(told)"
rm "$LAB/held"
check "then it is told of the last list alone" lab_until "$LAB_WAIT_S" told_is "begin 1 $begin
end 1
begin 3 $begin
end 3"
check "the log says so" lab_until "$LAB_WAIT_S" logged "on-change: epoch 3: .* has been told"

say "another one after a reload; one that fails, one that does not end, one that cannot be run"
: >"$LAB/told"
sed -i 's/; a b"/; c d"/' "$LAB/1/agent.conf"
kill -HUP "${LAB_AGENT_PID[1]}"
check "the agent reads its file again" lab_until "$LAB_WAIT_S" logged "was read again and is in force"
: >"$LAB/failing"
change 1 2 3
check "it is told with other arguments" lab_until "$LAB_WAIT_S" told_is "begin 4 ${begin%a b}c d
end 4"
check "what it printed, a megabyte, is beside the log" lab_until "$LAB_WAIT_S" logged xxxxxxxxxx
check "the log says how it ended" lab_until "$LAB_WAIT_S" logged "on-change: epoch 4: .* ended with 1"
rm "$LAB/failing"
sed -i 's/on-change-timeout.*/on-change-timeout = 500/' "$LAB/1/agent.conf"
: >"$LAB/held"
lab_end "${LAB_AGENT_PID[1]}"
lab_agent_start 1
check "it is killed" lab_until "$LAB_WAIT_S" logged "it did not end in time and is killed"
check "and what it started" lab_until "$LAB_WAIT_S" gone "$(cat "$LAB/child")"
rm "$LAB/held" "$LAB/command"
change 1 2
check "the log says that it cannot be run" lab_until "$LAB_WAIT_S" logged "it cannot be run: No such file"
