#!/usr/bin/env bash
# A proxy with mcroster's routes: what it answers to each command in every phase, and what it does about
# everything that can be wrong with it.  The stand-in; 81-proxy-real.sh runs it with memcached's own.
# parallel
# shellcheck source=tests/lab/lab.sh
. "$(dirname "$0")/../lab/lab.sh"
# shellcheck source=tests/lab/proxy.sh
. "$(dirname "$0")/../lab/proxy.sh"

lab_new
env "${PROXY_ENV[@]}" PYTHONDONTWRITEBYTECODE=1 PROXY_REAL="$PROXY_REAL" /usr/bin/python3 -W ignore \
	"$PROXY_TOP/tests/proxy/phases.py" >"$LAB/tests.log" 2>&1 || fail "phases.py: $(cat "$LAB/tests.log")"
say "  ok: $(sed -n '/^Ran/p;$p' "$LAB/tests.log" | tr '\n' ' ')"
