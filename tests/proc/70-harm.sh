#!/usr/bin/env bash
# Eight of the rows of full/7?-harm-*.sh, one of each phase and kind: who is killed, stopped or cut off
# while keys move, and what must hold afterwards.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/harm.sh
. "$(dirname "$0")/../lab/harm.sh"
# shellcheck source=tests/lab/hostile.sh
. "$(dirname "$0")/../lab/hostile.sh"

HARM_STOPPED_S=2 # longer than op-timeout and a lease

harm_fleet 1
hostile_change COPY "reset down hello 0 60 12" switch mover_overtaken DRAIN "reset up ms 0 180 20"
harm_mover_overtaken_checked
harm_change destination agent_killed prepare + source server_killed COPY + \
	client client_killed switch + destination server_stopped settle + source agent_stopped PURGE
