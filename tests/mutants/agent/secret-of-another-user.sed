# A secret file of another user is taken.
# file: agent/list/secretfile.c
# test: list/test_secretfile
s/owner == geteuid\(\) \|\| owner == 0/true/
