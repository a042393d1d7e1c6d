# The answers of a request are taken in their order, whichever keys are missing.
# file: bindings/libmemcached/wire.c
# test: many
s/query->key_bytes == key_bytes && memcmp\(query->key, key, key_bytes\) == 0/key_bytes \&\& key/
