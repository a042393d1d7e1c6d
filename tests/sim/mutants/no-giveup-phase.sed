# DRAIN is followed by STEADY though an old owner was given up.
# file: agent/core/coord_barrier.c
s/coord_source_given_up\(coord\) \? PHASE_GIVEUP : PHASE_AFTER/coord_source_given_up(coord) ? PHASE_AFTER : PHASE_AFTER/
