# A line that is held back loses its place to another.
# file: agent/daemon/log_often.c
# test: daemon/test_log_often
s/if \(line->left_out == 0 && \(oldest/if ((oldest/
