# What a host adopted in an earlier term counts.
# file: agent/core/coord_hosts.c
s/return host->term == coord->reg.term && host->serial >= coord->reg.serial;/return host->term < coord->reg.term || host->serial >= coord->reg.serial;/
