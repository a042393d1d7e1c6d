# A host that is one step behind counts as having adopted.
# file: agent/core/coord_hosts.c
s/host->serial >= coord->reg.serial;/host->serial + 1 >= coord->reg.serial;/
