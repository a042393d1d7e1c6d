# A read that overran its plan is the answer.
# file: bindings/libmemcached/read.c
# test: generations
s/if \(end == MCR_REPEAT \|\| found == FOUND_LATE\)/if (found == FOUND_LATE)/
