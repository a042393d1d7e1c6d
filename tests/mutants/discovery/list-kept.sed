# A list that follows is not shown.
# file: agent/daemon/discovery.c
# test: daemon/test_discovery
s/if \(list->epoch == discovery->epoch\)/if (discovery->epoch != 0)/
