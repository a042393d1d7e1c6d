# A leader by etcd grants after its time is over.
# file: agent/core/coord_hosts.c
s/if \(coord->yielding \|\| now_ms >= coord->leads_ms\)/if (coord->yielding)/
