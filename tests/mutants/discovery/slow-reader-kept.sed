# Who does not read is never cut off.
# file: agent/daemon/discovery.c
# test: daemon/test_discovery
s/\(void\)bufferevent_set_timeouts\(connection->stream, NULL, &patience\);/(void)patience;/
