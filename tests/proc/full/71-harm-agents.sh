#!/usr/bin/env bash
# The agent of a source and of a new owner is killed in each phase of a change and started again within
# its lease, be the fourth server joining or leaving.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/harm.sh
. "$(dirname "$0")/../../lab/harm.sh"

harm_fleet

harm_change source agent_killed prepare COPY switch DRAIN PURGE # s4 joins
harm_change destination agent_killed prepare COPY switch DRAIN PURGE # s4 leaves, and so on in turn
harm_change source agent_killed settle
harm_change destination agent_killed settle
harm_change destination agent_killed prepare COPY switch DRAIN PURGE
harm_change source agent_killed prepare COPY switch DRAIN PURGE
