# Whatever the agent answers, the key is owed.
# file: bindings/libmemcached/write.c
# test: owed
s/if \(rc == MCR_OK\)\n(\t\treturn OWED)/if (rc <= MCR_OK)\n\1/
