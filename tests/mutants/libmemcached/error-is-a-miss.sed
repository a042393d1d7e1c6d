# A server that answered with an error is told as a miss, as libmemcached does.
# file: bindings/libmemcached/wire.c
# test: failures
s/rc == MEMCACHED_NOTFOUND && memcached_last_error/false \&\& memcached_last_error/
