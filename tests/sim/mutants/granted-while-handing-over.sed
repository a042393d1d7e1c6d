# Leases are granted while the register is being handed over.
# file: agent/core/coord_hosts.c
s/if \(coord->yielding \|\| now_ms/if (now_ms/
