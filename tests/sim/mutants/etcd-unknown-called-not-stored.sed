# A step whose outcome is unknown is said not to be stored.
# file: agent/core/election_reply.c
s/		e->write_unknown = true;\n/		election_write_end(e, false, reply->why, now_ms);\n		return;\n/
