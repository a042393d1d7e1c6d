# The host's lease is timed from the grant's arrival.
# file: agent/core/host.c
s/sent_ms = host->request\[slot\].sent_ms;/sent_ms = now_ms;/
