# The count leaves the last LF out.
# file: agent/daemon/discovery.c
# test: daemon/test_discovery
s/head, discovery->text_bytes\)/head, discovery->text_bytes - 1)/
