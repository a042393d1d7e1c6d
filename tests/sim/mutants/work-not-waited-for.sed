# COPY ends before the movers are done.
# file: agent/core/coord_barrier.c
s/(const enum phase phase = \(enum phase\)coord->reg.phase;\n	const struct change \*change = coord->change;\n)/\1	if (phase == PHASE_COPY || phase == PHASE_DRAIN) return -1;\n/
