#!/usr/bin/env bash
# Another agent is to coordinate: the list that names it moves the register there, under load and
# with keys that move, then back.  PREPARE waits until every host reaches the successor; the one that
# hands over is killed right after, the one that takes over before it has begun.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"

KEYS=6000
LAB_RATE=300

coordinates() { # N EPOCH: it has begun and is settled, and all hosts have its lease
	local n
	[ "$(lab_status -"$1" view) $(lab_status -"$1" coordinator) $(lab_status -"$1" epoch) $(lab_status -"$1" settled)" = "cluster a$1 $2 true" ] || return 1
	for n in $3; do lab_leased "$n" && [ "$(lab_status_local "$n" term)" = "$(lab_status -"$1" term)" ] || return 1; done
}
# What an agent says of itself.
lab_status_local() { "$BUILD/mcadmin" status --local --agent "$(lab_agent_socket "$1")" --json | tr -d ' \t\n' | grep -oE "\"$2\":(\"[^\"]*|[^,}\"]*)" | sed -n '1s/^"[a-z_]*":"\{0,1\}//p'; }
