# An add is an add where a reservation refuses it.
# file: bindings/libmemcached/write.c
# test: phases
s/return WIRE_SET;/return order->command;/
