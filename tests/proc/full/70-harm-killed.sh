#!/usr/bin/env bash
# The memcached of a source and of a new owner is killed in each phase of a change, to come back when it
# was missed, or at once (its CAS begins at 1 again); clients are killed between their two commands.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/harm.sh
. "$(dirname "$0")/../../lab/harm.sh"

harm_fleet 7

harm_change source server_killed prepare COPY switch DRAIN PURGE # s4 joins
harm_change destination server_killed prepare COPY switch DRAIN PURGE # s4 leaves, and so on in turn
harm_change source server_killed settle
harm_change destination server_killed settle
harm_change destination server_killed prepare COPY switch DRAIN PURGE
harm_change source server_killed COPY
harm_change source server_restarted COPY switch DRAIN
harm_change destination server_restarted COPY switch DRAIN
harm_change client client_killed prepare copy switch settle drain
harm_change client client_killed copy drain
