# A failover without the register grants before earlier leases have run out.
# file: agent/core/coord.c
s/coord->blind_ms = now_ms \+ coord_longer\(change->steady_lease_ms\);/coord->blind_ms = now_ms;/
