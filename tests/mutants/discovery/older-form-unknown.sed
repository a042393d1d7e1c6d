# The older form asks for a key like any other.
# file: agent/daemon/discovery_line.c
# test: daemon/test_discovery_line
s/request = DISCOVERY_GET;/request = DISCOVERY_GET_ABSENT;/
