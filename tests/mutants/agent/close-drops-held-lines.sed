# A close forgets what was held back.
# file: agent/daemon/log.c
# test: daemon/test_log
s/held_write\(true\);/held_write(false);/
