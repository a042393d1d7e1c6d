# An empty value is an answer even where it may be a reservation.
# file: bindings/libmemcached/read.c
# test: phases
s/ \|\| !step->empty_is_miss/ || true/
