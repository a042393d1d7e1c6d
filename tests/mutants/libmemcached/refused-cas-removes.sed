# A cas that is refused where it goes deletes the value where it is.
# file: bindings/libmemcached/write.c
# test: phases
s/run->plan\.step_count == 2 &&/false \&\&/
