/* lossy.h - which keys a load loses with a server that is killed, or that evicts.  Used by load.c
 * alone. */
#ifndef MCROSTER_TESTS_LOSSY_H
#define MCROSTER_TESTS_LOSSY_H

#include "worker.h"

/* The server at `address` is gone with all it held and not back yet: lost is what it owned, before
 * the change or after it as the first segment shows, and what the key's other owner does not hold;
 * that one is asked.  Returns how many of these keys were stored and not lost before, or -1 with
 * the reason on standard error. */
int lossy_killed(const struct crew_setup *setup, const char *address);
/* What it owns before or after the change may be lost at any time.  Returns how many keys. */
int lossy_evicts(const struct crew_setup *setup, const char *address);
void lossy_none(const struct crew_setup *setup);

#endif
