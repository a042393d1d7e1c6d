# A coordinator leads without having heard a majority.
# file: agent/core/coord_hosts.c
s/return coord_heard\(coord\) \* 2 > coord->active->agent_count;/return coord_heard(coord) > 0;/
