# Deletes are not tried again where no agent answers.
# file: bindings/libmemcached/write.c
# test: owed
s/while \(rc != MCR_FULL/while (false \&\& rc != MCR_FULL/
