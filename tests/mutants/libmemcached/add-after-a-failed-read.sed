# An add stores though it could not read.
# file: bindings/libmemcached/write.c
# test: failures
s/holds && found == FOUND_NOTHING\)/holds \&\& found != FOUND)/
