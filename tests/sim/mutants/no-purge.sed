# STEADY of the next list without a purge.
# file: agent/core/coord_barrier.c
s/next.phase = PHASE_PURGE;/coord_settle(\&next, true);/
