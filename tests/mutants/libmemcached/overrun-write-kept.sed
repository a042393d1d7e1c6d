# A write that overran its plan counts as done.
# file: bindings/libmemcached/write.c
# test: generations
s/(touched.count = 0;\n\t\tif \()end == MCR_REPEAT/\1false/
