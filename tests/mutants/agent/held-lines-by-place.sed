# Lines held back are written in the order of their places.
# file: agent/daemon/log_often.c
# test: daemon/test_log_often
s/\(first == NULL \|\| line->came < first->came\)/(first == NULL)/
