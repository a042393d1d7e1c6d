# A child goes on with its parent's connections.
# file: bindings/libmemcached/pool.c
# test: sharing
s/pool->guard->ours = 1;\n\tmemset\(pool->idle, 0, sizeof\(pool->idle\)\);/pool->guard->ours = 1;\n\treturn;/
