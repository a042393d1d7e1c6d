# The older form is answered by CONFIG.
# file: agent/daemon/discovery.c
# test: daemon/test_discovery
s/"VALUE " DISCOVERY_KEY/"CONFIG cluster"/
