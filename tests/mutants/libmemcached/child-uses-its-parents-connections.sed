# A child goes on with its parent's connections.
# file: bindings/libmemcached/pool.c
# test: sharing
s/pool->guard->ours = 1;\n\tpool->idle = NULL;/pool->guard->ours = 1;\n\treturn;/
