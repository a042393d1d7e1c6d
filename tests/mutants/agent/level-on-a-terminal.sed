# A level stands in a line that nobody takes it off.
# file: agent/daemon/log.c
# test: daemon/test_log
s/stream_is_journal\(\) \? snprintf/getenv("JOURNAL_STREAM") ? snprintf/
