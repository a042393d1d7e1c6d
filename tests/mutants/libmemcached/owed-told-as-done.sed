# What the agent is to delete counts as deleted.
# file: bindings/libmemcached/write.c
# test: owed
s/return OWED;/return MADE_GOOD;/
