/* phase.c - see phase.h.  Reentrant; touches nothing but its arguments. */
#include "list/phase.h"

#include <string.h>

const char *phase_name(enum phase phase)
{
	static const char *const names[PHASE_COUNT] = {
	    [PHASE_STEADY] = "STEADY", [PHASE_PREPARE] = "PREPARE", [PHASE_COPY] = "COPY",
	    [PHASE_SWITCH] = "SWITCH", [PHASE_SETTLE] = "SETTLE",   [PHASE_DRAIN] = "DRAIN",
	    [PHASE_GIVEUP] = "GIVEUP", [PHASE_AFTER] = "AFTER",	    [PHASE_PURGE] = "PURGE",
	    [PHASE_UNWIND] = "UNWIND", [PHASE_BACK] = "BACK",	    [PHASE_CLEAN] = "CLEAN",
	};

	return (unsigned)phase < PHASE_COUNT ? names[phase] : "unknown";
}

int phase_find(const char *name, size_t chars)
{
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		const char *known = phase_name((enum phase)phase);

		if (strlen(known) == chars && memcmp(known, name, chars) == 0)
			return phase;
	}
	return -1;
}

bool phase_next_first(enum phase phase)
{
	return phase >= PHASE_SWITCH && phase <= PHASE_PURGE;
}
