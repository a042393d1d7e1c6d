# A secret file of another user is taken.
# file: agent/list/secretfile.c
# test: list/test_secretfile
s/st.st_uid != geteuid\(\) && st.st_uid != 0/false/
