#!/usr/bin/env bash
# The agent of a source and of a new owner is stopped (SIGSTOP) in each phase of a change for longer than
# its lease, clients between their two commands; then they go on with what they had been about to do.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/harm.sh
. "$(dirname "$0")/../../lab/harm.sh"

harm_fleet 7

# Nobody waits for a host whose lease is over, unless it has work to do: the others are through the next
# phases before it goes on.
harm_change source agent_stopped prepare COPY # s4 joins
harm_change destination agent_stopped prepare COPY # s4 leaves, and so on in turn
harm_change source agent_stopped switch
harm_change destination agent_stopped switch
harm_change source agent_stopped settle
harm_change destination agent_stopped settle
harm_change source agent_stopped DRAIN PURGE
harm_change destination agent_stopped DRAIN PURGE
harm_change client client_stopped prepare copy switch settle drain
harm_change client client_stopped copy settle
