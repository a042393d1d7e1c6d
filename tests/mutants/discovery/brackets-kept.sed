# An IPv6 address stands in its brackets.
# file: agent/daemon/discovery_text.c
# test: daemon/test_discovery_text
s/server->address\[0\] == '\['/false/
