#!/usr/bin/env bash
# An agent owes as many keys as it may: it refuses more, and the operations of those clients have
# failed.  What it has taken it carries out all the same.
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/netns.sh
. "$(dirname "$0")/../lab/netns.sh"
# shellcheck source=tests/lab/owing.sh
. "$(dirname "$0")/../lab/owing.sh"

owing_starts "owed-max = 25" "owed-per-user = 25"
owing_cut 3
before=$(loaded writes_incomplete)
lab_until 30 refused_some 5 || fail "it refuses nothing"
check "it owes as many as it may" equal "$(owing 5) of $(owing 5 _max)" "25 of 25"
lab_until 30 more_of writes_incomplete "$before" || fail "what was refused is complete"
say "  ok: what was refused is reported as failed"
"$BUILD/mcadmin" status --agent "$(lab_agent_socket 5)" >"$LAB/status.out"
check "status says how much and to whom" grep -Eq '^owes +agent a5 25 invalidations of 25 at most' \
	"$LAB/status.out"
check "and that it refused" grep -Eq '^REFUSED +[0-9]+ invalidation' "$LAB/status.out"
grep -A3 '^owes' "$LAB/status.out"
lab_reach 5 3
owing_ends
