# A connection is read from while its answer goes out.
# file: agent/daemon/discovery.c
# test: daemon/test_discovery
s/\(void\)bufferevent_disable\(stream, EV_READ\);//
