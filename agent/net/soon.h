/* soon.h - memory whose turn comes a few keys later is asked for ahead of time.
 *
 * Thousands of keys are under way at once, more than the nearest cache holds: whoever comes back to
 * one would wait for it.  Only a hint: any address will do, nothing is read or written.
 */
#ifndef MCROSTER_SOON_H
#define MCROSTER_SOON_H

#include <stddef.h>
#include <stdint.h>

/* So many keys ahead: further than memory is slow, nearer than the cache forgets. */
#define SOON_AHEAD 4u

static inline void soon(const void *memory, size_t bytes)
{
	/* A number: no pointer may be moved past its object, or away from NULL. */
	uintptr_t at = (uintptr_t)memory;

	for (size_t i = 0; i < bytes; i += 64)
		__builtin_prefetch((const void *)(at + i), 1);
}

#endif
