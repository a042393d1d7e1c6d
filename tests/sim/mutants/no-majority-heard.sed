# A coordinator leads without having heard a majority.
# file: agent/core/coord_hosts.c
s/return heard \* 2 > coord->active->agent_count;/return heard > 0;/
