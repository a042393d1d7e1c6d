# An abort goes back to STEADY at once.
# file: agent/core/coord_barrier.c
s/next->phase = PHASE_UNWIND;/next->phase = PHASE_BACK;/
