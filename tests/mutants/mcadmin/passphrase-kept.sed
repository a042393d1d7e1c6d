# So does its passphrase.
# file: agent/admin/keyfile.c
# test: 65-secrets
s/sodium_free\(passphrase\);//
