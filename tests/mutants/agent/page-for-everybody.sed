# The page is made whenever somebody asks.
# file: agent/daemon/metrics.c
# test: daemon/test_metrics
s/at_ms < metrics->made_ms \+ METRICS_PAGE_MS/at_ms < metrics->made_ms/
