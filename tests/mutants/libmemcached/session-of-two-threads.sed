# A session stays in the pool while somebody uses it.
# file: bindings/libmemcached/pool.c
# test: sharing
s/\*pile = session->idle;/(void)session;/
