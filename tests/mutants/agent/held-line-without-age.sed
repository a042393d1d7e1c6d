# A line that is late does not say so.
# file: agent/daemon/log.c
# test: daemon/test_log
s/if \(held\)/if (false)/
