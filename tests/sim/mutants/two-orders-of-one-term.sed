# An agent that is ordered to coordinate begins without the votes of a majority.
# file: agent/core/coord_hosts.c
s/ \&\&\n\t       \(coord->failover_term == 0 \|\| host->vote == coord->failover_term\);/;/
