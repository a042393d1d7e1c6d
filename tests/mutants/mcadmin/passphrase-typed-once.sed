# It is not typed a second time.
# file: agent/admin/passphrase.c
# test: 15-passphrase
s/error == 0 && strcmp\(\*passphrase, again\) != 0/false/
