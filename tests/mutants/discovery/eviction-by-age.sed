# One more connection takes the place of the oldest one, though that has just asked.
# file: agent/daemon/discovery.c
# test: daemon/test_discovery
s/TAILQ_REMOVE\(&discovery->connections, connection, by_use\);\n\tTAILQ_INSERT_TAIL\(&discovery->connections, connection, by_use\);/(void)discovery;/
