# Before there is a list the answer is one without servers.
# file: agent/daemon/discovery.c
# test: daemon/test_discovery
s/SERVER_ERROR the agent has no list yet\\r\\n/END\\r\\n/
