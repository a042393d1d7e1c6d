# A short passphrase is taken.
# file: agent/admin/passphrase.c
# test: 15-passphrase
s/strlen\(\*passphrase\) < PASSPHRASE_BYTES_MIN\) \{/false) {/
