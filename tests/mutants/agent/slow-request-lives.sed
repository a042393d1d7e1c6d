# Who sends a letter now and then is never cut off.
# file: agent/daemon/metrics.c
# test: daemon/test_metrics
s/\(void\)evtimer_add\(place->over, &life\);/(void)life;/
