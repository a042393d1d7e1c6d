# A key of zeros is taken.
# file: agent/list/secretfile.c
# test: list/test_secretfile
s/sodium_is_zero\(key, SECRETFILE_KEY_BYTES\)/false/
