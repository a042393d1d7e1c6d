# A line may be of any length.
# file: agent/daemon/discovery_line.c
# test: daemon/test_discovery_line
s/if \(length <= DISCOVERY_LINE_MAX\)\n\t\t\treturn 0;/return 0;/
