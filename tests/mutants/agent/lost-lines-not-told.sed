# Lines that the journal did not take are not counted.
# file: agent/daemon/log.c
# test: daemon/test_log
s/state.not_taken\+\+;/;/
