# A failover goes on in the serials of the coordinator that is gone.
# file: agent/core/coord_hosts.c
s/next.serial \+= COORD_FAILOVER_LEAP;/next.serial += 0;/
