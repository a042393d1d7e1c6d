# A coordinator leads without having heard a majority.
# file: agent/core/coord_hosts.c
s/(static bool coord_majority_heard\([^)]*\)\n\{\n)/\1\treturn true;\n/
