#!/usr/bin/env bash
# Clients on one host are cut off from one server, and go on writing and deleting: through an outage
# in the steady phase, in which their agent is killed as well, and through a whole change.  Their agent
# owes what they could not delete, on disk; when the server can be reached again and nothing is owed
# any more, no value is read that was there before.  Nothing is reported as complete before that.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/netns.sh
. "$(dirname "$0")/../lab/netns.sh"
# shellcheck source=tests/lab/owing.sh
. "$(dirname "$0")/../lab/owing.sh"

LAB_RATE=150 # a change takes some seconds
owing_starts

say "a server is out of reach in the steady phase"
owing_cut 3
owing_killed
lab_reach 5 3
owing_ends

say "one is out of reach through a whole change: the one that joins"
lab_server_start 4 -t 1
lab_agent_start 4
owing_change 4
