# A key with a space goes over the classic protocol.
# file: bindings/libmemcached/wire.c
# test: commands
s/return others \? WIRE_BINARY : WIRE_CLASSIC/return others > 1 ? WIRE_BINARY : WIRE_CLASSIC/
