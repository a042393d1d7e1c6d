#!/usr/bin/env bash
# The scenarios before this one and the next with memcached's own proxy: MEMCACHED_PROXY=path names a
# memcached that was built with --enable-proxy (Debian's is not).
# limit: 900
if [ -z "${MEMCACHED_PROXY:-}" ]; then
	echo "MEMCACHED_PROXY names no memcached with a proxy"
	exit 77
fi
"$MEMCACHED_PROXY" -V | head -n 1
PROXY_REAL=1 bash "$(dirname "$0")/80-proxy-phases.sh" || exit 1
PROXY_REAL=1 bash "$(dirname "$0")/82-migrate.sh" || exit 1
PROXY_REAL=1 PROXY_KEYS=4000 PROXY_RESIZES=${PROXY_RESIZES:-4} PROXY_WRITES=500
PROXY_KILLS=${PROXY_KILLS:-prepare copy switch settle drain}
# shellcheck source=tests/proc/80-proxy.sh
. "$(dirname "$0")/80-proxy.sh"
