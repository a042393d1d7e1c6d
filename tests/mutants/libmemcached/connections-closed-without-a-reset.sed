# A connection is closed as any other: what is in the kernel's queue follows.
# file: bindings/libmemcached/wire.c
# test: failures
s/NO_BLOCK, 1\}/NO_BLOCK, 0}/
