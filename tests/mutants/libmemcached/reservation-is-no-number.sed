# incr says of a reservation that it is no number.
# file: bindings/libmemcached/write.c
# test: phases
s/written->status == MCR_POOL_NOT_NUMBER &&/false \&\&/
