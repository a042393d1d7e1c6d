# A write is done although its second step failed.
# file: bindings/libmemcached/write.c
# test: owed
s/if \(!first \|\| order->op == MCR_OP_DELETE\)/if (false)/
