# A connection stays for ever, its server long gone.
# file: bindings/libmemcached/pool.c
# test: handles
s/> WIRE_IDLE_GENERATIONS\)/> UINT32_MAX - 1)/
