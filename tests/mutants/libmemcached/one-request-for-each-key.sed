# Reads of many keys are not put together.
# file: bindings/libmemcached/read.c
# test: many
s/request->wire == wire && request->protocol == protocol/false/
