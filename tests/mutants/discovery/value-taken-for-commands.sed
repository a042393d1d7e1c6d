# The data of a storage command is read as commands.
# file: agent/daemon/discovery_line.c
# test: daemon/test_discovery_line
s/\*data = length \+ 2;/*data = 0;/
