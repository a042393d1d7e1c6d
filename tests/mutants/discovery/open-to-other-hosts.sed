# Any address will do.
# file: agent/daemon/config_discovery.c
# test: daemon/test_config
s/ \|\| !address_is_loopback\(&address\)//
