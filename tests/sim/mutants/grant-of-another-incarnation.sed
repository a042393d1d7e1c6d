# A grant for an agent that died is taken by the one after it.
# file: agent/core/host.c
s/host->sequence = incarnation;/host->sequence = 0;/
