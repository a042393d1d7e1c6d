# An answer lacks its END.
# file: agent/daemon/discovery.c
# test: daemon/test_discovery
s/evbuffer_add_printf\(out, "\\r\\nEND\\r\\n"\);/evbuffer_add_printf(out, "\\r\\n");/
