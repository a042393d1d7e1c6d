#!/usr/bin/env bash
# The segment's name, with a real agent: watched for before there is one, removed, taken by somebody
# else beforehand, and no room for it.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

inode() { stat -c %i "/dev/shm$(lab_segment "$1")" 2>/dev/null; }

lab_new
for n in 1 2; do
	lab_server_start "$n"
	lab_agent_conf "$n"
done

say "a client that is there before its agent"
"$LAB_TOOLS/watch" --segment "$(lab_segment 1)" --phase steady --epoch 1 --timeout 60000 \
	>"$LAB/early.log" 2>&1 &
early=$!
LAB_BESIDE+=("$early")
check "it waits" lab_until 5 [ -e "/proc/$early" ]
for n in 1 2; do lab_agent_start "$n"; done
lab_first_list 1 2
check "it finds the list" wait "$early"

say "the name is removed while the agent lives"
before=$(inode 1)
another() { local now; now=$(inode 1) && [ "$now" != "$before" ]; }
rm "/dev/shm$(lab_segment 1)"
check "the segment is made again" lab_until 10 another
check "and shows the same" equal "$(lab_shown 1 | cut -d' ' -f1-3)" "STEADY epoch 1"
check "the log says so, once" equal "$(grep -c 'somebody has removed it' "$LAB/1/agent.log")" 1
lab_server_start 3
lab_agent_start 3
lab_conf 1 2 3
check "a change goes through in it" lab_change
check "and is shown" equal "$(lab_shown 1 | cut -d' ' -f1-3)" "STEADY epoch 2"

say "the name is removed while the agent is away"
before=$(inode 1)
lab_agent_kill 1
rm "/dev/shm$(lab_segment 1)"
lab_agent_start 1
lab_wait_segment 1 steady 2
check "there is another one" another

if [ "$(id -u)" = 0 ]; then
	say "another user has the name"
	lab_agent_kill 2
	rm -f "/dev/shm$(lab_segment 2)" "/dev/shm$(lab_segment 2).lock"
	setpriv --reuid=65534 --clear-groups dd if=/dev/zero of="/dev/shm$(lab_segment 2)" bs=4096 \
		count=645 status=none || fail "cannot make another user's file"
	chmod 644 "/dev/shm$(lab_segment 2)"
	refused "the agent does not take it" - "segment /dev/shm$(lab_segment 2): owned by user 65534, want 0" \
		"$BUILD/mcrosterd" -c "$LAB/2/agent.conf"
	check "and leaves it as it is" equal "$(stat -c %u "/dev/shm$(lab_segment 2)")" 65534
	refused "nor does a client" - "the segment belongs to a user who is not trusted" \
		"$BUILD/mcadmin" route --segment "$(lab_segment 2)" key
	rm "/dev/shm$(lab_segment 2)"
	lab_agent_start 2
	check "when it is gone the agent starts" lab_wait_segment 2 steady 2
else
	say "skipped: another user's segment (not root)"
fi

lab_agent_kill 2
in_full_tmpfs() {
	unshare -r -m sh -c 'mount -t tmpfs -o size=1m none /dev/shm && exec "$@"' sh "$@"
}
if in_full_tmpfs true 2>/dev/null; then
	say "there is no room for it"
	# Without the segment of before, and away from its lock.
	refused "the agent says how much it needs" - \
		"segment /dev/shm$(lab_segment 2): cannot allocate [0-9]+ bytes: No space left on device" \
		in_full_tmpfs "$BUILD/mcrosterd" -c "$LAB/2/agent.conf"
else
	say "skipped: a full tmpfs (no mount namespace)"
fi
lab_agent_start 2
check "elsewhere it starts as before" lab_wait_segment 2 steady 2
