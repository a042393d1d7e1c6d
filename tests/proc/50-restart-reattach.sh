#!/usr/bin/env bash
# An agent that stops or dies leaves its segment to its readers and takes up the same one when it is
# back; SIGTERM ends it cleanly.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

lab_start 2
lab_load_start 5000 "1 2" --readers 2 --writers 2 --rate 2000
lab_load fill
lab_load run

inode() { stat -c %i "/dev/shm$(lab_segment "$1")"; }
generation() { lab_shown "$1" | sed 's/.*generation //'; }

before=$(inode 2) was=$(generation 2)
check "mode of the segment" equal "$(stat -c %a "/dev/shm$(lab_segment 2)")" 644
check "SIGTERM ends the agent with exit code 0" lab_agent_term 2
check "its control socket is gone" [ ! -e "$(lab_agent_socket 2)" ]
check "the segment stays" equal "$(inode 2)" "$before"
check "and still shows its list" equal "$(lab_shown 2 | cut -d' ' -f1-3)" "STEADY epoch 1"
lab_agent_start 2
check "started again: the same segment" equal "$(inode 2)" "$before"
check "its generation has not gone back" between "$was" "$(generation 2)" $((was + 1))

lab_agent_kill 2
lab_agent_start 2
check "killed and started again: the same segment" equal "$(inode 2)" "$before"
lab_until "$LAB_WAIT_S" lab_leased 2 || fail "agent a2 gets no lease"

was=$(generation 2)
lab_server_start 3
lab_agent_start 3
lab_conf 1 2 3
check "a change goes through" lab_change
check "in the same segment" equal "$(inode 2)" "$before"
check "by next generations" between $((was + 4)) "$(generation 2)" $((was + 12))
lab_load pause
lab_load verify
lab_load_zeros

say "the coordinator, settled"
check "SIGTERM ends it with exit code 0" lab_agent_term 1
lab_agent_start 1
lab_until "$LAB_WAIT_S" lab_settled 2 || fail "the coordinator does not take up its register"
lab_conf 1 2
# Until the leases that it may have granted before have run out it takes no change.
check "and it carries the next change" lab_until 20 lab_change
lab_load verify
lab_load_zeros
