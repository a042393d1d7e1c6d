/* mover_probe.h - the probe item: takes a source's CAS as a mark, or proves two servers different.
 *
 * Its key begins with the list's prefix and ends in 128 random bits, it lives for seconds and is
 * deleted at the end.  A probe that was cut short may leave its item behind: the next one is made
 * with the same key, and deletes it.
 */
#ifndef MCROSTER_MOVER_PROBE_H
#define MCROSTER_MOVER_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/pass.h"
#include "daemon/mover_peer.h"

struct mover_probe {
	struct mover_command command; /* first: the command's context leads back here */
	unsigned state;
	bool running, same;
	bool left; /* an item with this key may be at the own server; kept from probe to probe */
	struct mc_key key;
	struct mover_peer *own, *other; /* other: NULL where only the CAS is wanted */
	uint64_t cas;
	char why[192];
	/* ok: `cas` and `same` are valid; else `why` says what was in the way. */
	void (*ended)(struct mover_probe *probe, void *context, bool ok);
	void *context;
};

/* Both peers are up.  A probe begins as zeros, and is for one `own`. */
void mover_probe_start(struct mover_probe *probe, const struct pass *pass, struct mover_peer *own,
		       struct mover_peer *other,
		       void (*ended)(struct mover_probe *probe, void *context, bool ok),
		       void *context);

#endif
