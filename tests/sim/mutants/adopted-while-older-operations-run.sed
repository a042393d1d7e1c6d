# A register counts as adopted at once, not op_timeout after its publication.
# file: agent/core/host.c
s/host->timeout_after_ms = now_ms \+ host_op_timeout\(host\) \+ 1;/host->timeout_after_ms = now_ms;/
