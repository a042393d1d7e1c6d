# The segment's deadline is the lease's end.
# file: agent/core/host.c
s/early_ms = \(uint64_t\)grant->lease_ms \/ 10 \+ host_op_timeout\(host\);/early_ms = 0;/
