/* lossy.h - which keys a load loses with a server that is killed.  Used by load.c alone. */
#ifndef MCROSTER_TESTS_LOSSY_H
#define MCROSTER_TESTS_LOSSY_H

#include "worker.h"

/* The keys whose owner before the change (`which` "old"), after it ("new"), or one of both
 * ("either") is the server at `address`, as the first segment shows them now.  Returns how many
 * there are, or -1 with the reason on standard error. */
int lossy_mark(const struct crew_setup *setup, const char *address, const char *which);
void lossy_none(const struct crew_setup *setup);

#endif
