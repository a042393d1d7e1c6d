# There is no end of connections.
# file: agent/daemon/metrics.c
# test: daemon/test_metrics
s/if \(place_find\(metrics, NULL\) == NULL\)\n/if (false)\n/
