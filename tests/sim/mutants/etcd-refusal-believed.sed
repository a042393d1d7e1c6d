# etcd is believed when it says that it has no space.
# file: agent/core/election_reply.c
s/		e->write = ELECTION_WRITE_CHECK;\n/		election_write_end(e, false, reply->why, now_ms);\n/
