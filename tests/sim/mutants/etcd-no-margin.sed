# Leadership lasts a second longer than it may.
# file: agent/core/election_reply.c
s/until_ms = e->keep.sent_ms \+ ttl_ms - ELECTION_MARGIN_MS;/until_ms = e->keep.sent_ms + ttl_ms + ELECTION_MARGIN_MS;/
