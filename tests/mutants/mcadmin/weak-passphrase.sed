# Argon2id is given less memory.
# file: agent/admin/keyfile.c
# test: 15-passphrase
s/MEMLIMIT_MODERATE/MEMLIMIT_INTERACTIVE/g
