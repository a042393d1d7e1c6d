#!/usr/bin/env bash
# The memcached of a source and of a new owner is stopped (SIGSTOP) in each phase of a change for longer
# than every time-out; then it goes on with what it had been about to do.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/harm.sh
. "$(dirname "$0")/../../lab/harm.sh"

harm_fleet

harm_change source server_stopped prepare COPY DRAIN PURGE # s4 joins
harm_change destination server_stopped prepare COPY DRAIN PURGE # s4 leaves, and so on in turn
harm_change source server_stopped switch
harm_change destination server_stopped switch
harm_change source server_stopped settle
harm_change destination server_stopped settle
