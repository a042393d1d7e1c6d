# A secret file that the group may read is taken.
# file: agent/list/secretfile.c
# test: list/test_secretfile
s/07177/07137/
