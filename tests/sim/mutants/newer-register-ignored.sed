# A coordinator that is shown a newer register goes on.
# file: agent/core/coord_hosts.c
s/coord->state = COORD_HALTED;\n/(void)0;\n/
