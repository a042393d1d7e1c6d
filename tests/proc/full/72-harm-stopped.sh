#!/usr/bin/env bash
# Memcacheds and agents are stopped (SIGSTOP) in each phase of a change for longer than every time-out,
# clients between their two commands; then they go on with what they had been about to do.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/harm.sh
. "$(dirname "$0")/../../lab/harm.sh"

harm_fleet 7

harm_change source server_stopped prepare COPY DRAIN PURGE # s4 joins
harm_change destination server_stopped prepare COPY DRAIN PURGE # s4 leaves, and so on in turn
harm_change source server_stopped switch
harm_change destination server_stopped switch
harm_change source server_stopped settle
harm_change destination server_stopped settle
harm_change source agent_stopped prepare COPY switch DRAIN PURGE
harm_change destination agent_stopped prepare COPY switch DRAIN PURGE
harm_change source agent_stopped settle
harm_change destination agent_stopped settle
harm_change client client_stopped prepare copy switch settle drain
harm_change client client_stopped copy settle
