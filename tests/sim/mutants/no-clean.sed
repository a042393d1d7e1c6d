# After an abort the copies stay.
# file: agent/core/coord_barrier.c
s/next.phase = PHASE_CLEAN;/coord_settle(\&next, false);/
