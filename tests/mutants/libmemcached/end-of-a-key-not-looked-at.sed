# The last bytes of a key may be any.
# file: bindings/libmemcached/wire.c
# test: commands
s/others \|= eight_unprintable\(byte \+ key_bytes - 8\);//
