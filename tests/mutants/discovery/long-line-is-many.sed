# What is left of a line that was too long is read as another.
# file: agent/daemon/discovery_line.c
# test: daemon/test_discovery_line
s/reader->in_line = true;/reader->in_line = false;/
