# What the caller sets on a handle stands.
# file: bindings/libmemcached/wire.c
# test: handles
s/return rc;\n\thandle_rules\(handle, protocol\);/return rc;/
