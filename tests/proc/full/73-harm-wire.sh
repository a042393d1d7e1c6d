#!/usr/bin/env bash
# Between movers and one memcached stands what cuts their connections at every position of the
# protocol, in both directions, stalls, answers nonsense and cuts dumps short: before a new owner while
# the fourth server joins, before a source while it leaves.  A client is faster than a mover's fill.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../../lab/lab.sh"
# shellcheck source=tests/lab/harm.sh
. "$(dirname "$0")/../../lab/harm.sh"
# shellcheck source=tests/lab/hostile.sh
. "$(dirname "$0")/../../lab/hostile.sh"

HARM_CHANGE_S=400 HARM_RATE=40

# joins_and_leaves IN-COPY IN-DRAIN: where it is a new owner it loses what was copied, so that DRAIN has
# all to do.
joins_and_leaves() {
	hostile_change COPY "$1" switch server_restarted DRAIN "$2"
	hostile_change COPY "$1" DRAIN "$2"
}

# Some of the nonsense is a refusal to whoever reads it.  What a server refuses in DRAIN is lost as a
# miss, and counted.
harm_refusals_believed() {
	lab_load "evicts $(lab_server_address $HOSTILE_HOST)"
	check "what it seems to refuse may be lost" [ "${LAB_ANSWER%% *}" = lossy ]
	refusals_believed=yes
}
refusals_believed=
harm_bound() {
	HARM_BOUND="that nobody else held or that seemed to be refused"
	[ -z "$refusals_believed" ] || HARM_MARKED=$((HARM_MARKED + $(lab_status change_keys_failed)))
	refusals_believed=
}

harm_fleet
say "nonsense for an answer"
hostile_change COPY "garbage down hello 0 160 8" COPY refusals_believed switch server_restarted \
	DRAIN "garbage down hello 0 160 4"
hostile_change COPY "garbage down hello 0 160 8" COPY refusals_believed DRAIN "garbage down hello 0 160 4"

# Only a source is asked for its dump while keys move.
say "dumps that break off, and dumps that END early"
harm_change
hostile_change COPY "torn 100 3" DRAIN "torn 40 3"
harm_change
hostile_change COPY "short 100 3" DRAIN "short 40 2"

say "reset deep in what is answered"
hostile_change COPY "reset down hello 200 8000 600" switch server_restarted \
	DRAIN "reset down hello 200 8000 600"
# A new owner that has lost its copies: where nothing is to be moved, removals are hardly answered.
hostile_change COPY "reset down hello 200 8000 600" switch server_restarted \
	DRAIN "reset down hello 200 4000 400"
say "reset in the mover's first commands and in the answers to them"
joins_and_leaves "reset up start 0 27 3" "reset down start 0 5000 250"
say "reset at each byte of the first commands for keys, then deep in a batch"
joins_and_leaves "reset up hello 0 150 1" "reset up hello 0 150 1"
joins_and_leaves "reset up hello 200 8000 600" "reset up hello 200 8000 600"
say "reset at each byte of the answers"
joins_and_leaves "reset down hello 0 150 1" "reset down hello 0 150 1"
say "reset at each byte of fills (removals, where it is a source), then of what is answered"
hostile_change COPY "reset up ms 0 150 1" switch mover_overtaken DRAIN "reset up ms 0 150 1"
harm_mover_overtaken_checked
hostile_change DRAIN "reset up md 0 90 1"
hostile_change COPY "reset down ms 0 90 1" switch server_restarted DRAIN "reset down ms 0 90 1"
hostile_change DRAIN "reset down md 0 60 1"
say "stalled in a command, in an answer"
joins_and_leaves "stall up hello 0 120 20" "stall down hello 0 120 20"
joins_and_leaves "stall down hello 0 120 20" "stall up hello 0 120 20"
