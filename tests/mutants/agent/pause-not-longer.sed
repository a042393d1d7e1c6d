# A line that comes for an hour is written every second.
# file: agent/daemon/log_often.c
# test: daemon/test_log_often
s/line->pause_ms \* 2/line->pause_ms/
