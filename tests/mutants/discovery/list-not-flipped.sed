# The endpoint shows the list that was until the change has settled.
# file: agent/daemon/agent_publish.c
# test: 85-discovery
s/phase_next_first\(\(enum phase\)reg->phase\)/false/
