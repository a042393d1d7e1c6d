# An agent that is ordered to coordinate begins without the votes of a majority.
# file: agent/core/coord_hosts.c
s/host->heard && host->vote == coord->failover_term;/host->heard;/
