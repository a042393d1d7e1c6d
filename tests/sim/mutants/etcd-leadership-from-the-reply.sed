# Leadership is counted from the answer to a keep-alive.
# file: agent/core/election_reply.c
s/until_ms = e->keep.sent_ms \+ ttl_ms/until_ms = now_ms + ttl_ms/
