#!/usr/bin/env bash
# As 57-owed, for longer: the server that is out of reach through the change is one that loses keys,
# and it is out of reach before the change begins; the clients' agent is killed in between.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/netns.sh
. "$(dirname "$0")/../../lab/netns.sh"
# shellcheck source=tests/lab/owing.sh
. "$(dirname "$0")/../../lab/owing.sh"

OWING_KEYS=8000
LAB_RATE=150
owing_starts
lab_server_start 4 -t 1
lab_agent_start 4
owing_change 3
owing_cut 2
owing_killed
lab_reach 5 2
owing_ends
