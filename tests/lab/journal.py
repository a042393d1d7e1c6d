#!/usr/bin/python3
"""Reads `journalctl -o json` of the agent and says what is wrong with its lines: a level or a field
is missing, or one process wrote the same line twice within a second."""
import json
import sys

last = {}
lines = events = 0
for text in open(sys.argv[1], encoding="utf-8"):
    entry = json.loads(text)
    message = entry["MESSAGE"]
    if entry.get("SYSLOG_IDENTIFIER") != "mcrosterd":
        continue
    lines += 1
    when = int(entry["__REALTIME_TIMESTAMP"])
    if entry.get("PRIORITY") not in ("3", "4", "5", "6"):
        sys.exit(f"no level: {entry}")
    if message.startswith("<"):
        sys.exit(f"the level stands in the line: {message}")
    if "MCROSTER_EVENT" in entry:
        events += 1
        if entry.get("MCROSTER_CLUSTER") != "web":
            sys.exit(f"an event of no cluster: {entry}")
        if entry["MCROSTER_EVENT"] == "published" and not entry.get("MCROSTER_EPOCH", "").isdigit():
            sys.exit(f"published, but no epoch: {entry}")
    line = entry["_PID"], message
    if line in last and when - last[line] < 1_000_000:
        sys.exit(f"twice within a second: {message}")
    last[line] = when
if lines < 10 or events < 5:
    sys.exit(f"only {lines} lines, {events} of them events")
print(f"{lines} lines, {events} of them events")
