# Where there is a host its address is left out.
# file: agent/daemon/discovery_text.c
# test: daemon/test_discovery_text
s/host.at, ip.chars, ip.at, colon/host.at, host.chars, host.at, colon/
