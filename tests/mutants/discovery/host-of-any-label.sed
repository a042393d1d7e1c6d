# A label counts as a host, whichever its port.
# file: agent/daemon/discovery_text.c
# test: daemon/test_discovery_text
s/strcmp\(colon \+ 1, port\) != 0/false/
