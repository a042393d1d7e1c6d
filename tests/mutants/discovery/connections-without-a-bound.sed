# Connections are held without a bound.
# file: agent/daemon/discovery.c
# test: daemon/test_discovery
s/discovery->count == DISCOVERY_CONNECTIONS_MAX/false/
