/* phase.h - the phases a change runs through, and the words for them.
 *
 * The register holds a phase, orders name one: the words stand here, below both, so that what an
 * order was signed for and what a register says cannot be spelled differently.
 */
#ifndef MCROSTER_PHASE_H
#define MCROSTER_PHASE_H

#include <stdbool.h>
#include <stddef.h>

/* AFTER and PURGE are STEADY(e+1) for clients, BACK and CLEAN are STEADY(e): STEADY is settled. */
enum phase {
	PHASE_STEADY = 0,
	PHASE_PREPARE = 1, /* work: probe, sanitise */
	PHASE_COPY = 2,	   /* work: copy, delta passes */
	PHASE_SWITCH = 3,  /* work where clients are unaware of phases: mark; */
	PHASE_SETTLE = 4,  /* ... compare */
	PHASE_DRAIN = 5,   /* work: move and remove what is left */
	PHASE_GIVEUP = 6,
	PHASE_AFTER = 7, /* STEADY(e+1), being adopted */
	PHASE_PURGE = 8, /* STEADY(e+1), complete; work: sources drop what they no longer own */
	PHASE_UNWIND = 9,
	PHASE_BACK = 10,  /* STEADY(e) after UNWIND, being adopted */
	PHASE_CLEAN = 11, /* STEADY(e), complete; work: gaining servers drop what was copied */
	PHASE_COUNT
};

/* "unknown" for a number that is no phase. */
const char *phase_name(enum phase phase);

/* The phase with this name (not NUL-terminated), or -1. */
int phase_find(const char *name, size_t chars);

/* Are keys asked for at their next owner first?  From SWITCH on: then the next list is the one for
 * clients that know nothing of phases and have one owner for each key. */
bool phase_next_first(enum phase phase);

#endif
