# A host gets a lease before it has adopted the register.
# file: agent/core/coord_hosts.c
s/return coord_host_holds\(host, now_ms\) && now_ms <= /return now_ms <= /
