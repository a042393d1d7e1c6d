# A miss is final, though a newer generation is out.
# file: bindings/libmemcached/read.c
# test: generations
s/found == FOUND_NOTHING && end == MCR_NEWER/false/
