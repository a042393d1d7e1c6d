# A connection on which the answer did not come is used again.
# file: bindings/libmemcached/wire.c
# test: failures
s/(memcached_strerror\(handle, rc\)\);\n)\tspeaker_close\(&wire->speaker\[protocol\]\);/\1\t(void)protocol;/
