# A read that failed everywhere is told as a miss.
# file: bindings/libmemcached/read.c
# test: failures
s/reading->failed \? FOUND_UNKNOWN : FOUND_NOTHING/FOUND_NOTHING/
