#!/usr/bin/env bash
# The log's events, as docs/service.md has them: none that is not written, none that is not told.
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1

written() {
	{
		grep -ohE '\.event = [^,}]*' "$top"/agent/daemon/*.c | grep -oE '"[a-z-]+"' | tr -d '"'
		grep -ohE 'agent_log_step\("[a-z]+"' "$top"/agent/daemon/*.c | sed 's/.*("\(.*\)"/\1/'
	} | sort -u
}
told() {
	sed -n '/^| event |/,/^$/p' "$top/docs/service.md" | sed 1,2d | cut -d '|' -f 2 | grep -oE '[a-z-]+' | sort -u
}
difference=$(diff <(written) <(told))
if [ "$(written | wc -l)" -lt 10 ] || [ -n "$difference" ]; then
	printf 'FAILED: events of the log (<) and of docs/service.md (>):\n%s\n' "$difference" >&2
	exit 1
fi
printf 'docs/service.md has the %s events of the log\n' "$(written | wc -l)"
