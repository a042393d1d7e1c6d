# The key that has signed stays in memory while the change is watched.
# file: agent/admin/signing_keys.c
# test: 65-secrets
s/secrets_wipe\(keys\);\n\tif/if/
