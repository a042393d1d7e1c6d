# A cas goes out whichever server gave the token.
# file: bindings/libmemcached/write.c
# test: phases
s/owner\.id == order->token->server_id/owner.id != 0/
