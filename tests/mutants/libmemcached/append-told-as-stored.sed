# An append that was dropped is told as stored.
# file: bindings/libmemcached/write.c
# test: phases
s/run->plan\.answer == MCR_ANSWER_NOT_STORED/false/
