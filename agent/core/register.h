/* register.h - the register: which phase the cluster is in, and which lists it stands between.
 *
 * Ordered by (term, serial); hosts never go back.  The same fixed encoding is on disk and on the
 * wire.  Pure data, no I/O.
 */
#ifndef MCROSTER_REGISTER_H
#define MCROSTER_REGISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list/list.h"
#include "list/phase.h"

#define REGISTER_REASON_BYTES 256
#define REGISTER_BYTES	      (8 * 5 + 3 + 2 * LIST_HASH_BYTES + 64 + REGISTER_REASON_BYTES)

struct reg {
	uint64_t term, serial;	/* (0, 0): there is no register */
	uint64_t epoch;		/* of the active list */
	uint64_t next_epoch;	/* of the pending list; 0: no change */
	uint64_t highest_epoch; /* the greatest ever accepted, undone ones included */
	uint8_t phase;		/* enum phase */
	bool long_leases;	/* steady leases granted before may still run */
	bool copied;		/* COPY was reached in this change */
	uint8_t active[LIST_HASH_BYTES], pending[LIST_HASH_BYTES];
	char coordinator[LIST_NAME_MAX + 1];
	char reason[REGISTER_REASON_BYTES]; /* why the last change was undone; "" otherwise */
};

/* <0, 0, >0 by (term, serial). */
int register_compare(const struct reg *a, const struct reg *b);
void register_encode(const struct reg *reg, uint8_t bytes[REGISTER_BYTES]);
/* -EBADMSG when a field is out of bounds; *reg untouched then. */
int register_decode(const uint8_t bytes[REGISTER_BYTES], struct reg *reg);

/* Does a phase have work, and is it done on the servers that gain keys, that lose them? */
bool phase_works_gaining(enum phase phase);
bool phase_works_losing(enum phase phase);

/* What a host says of its work in one phase of one change: the sum over its servers. */
enum work_state { WORK_NONE = 0, WORK_RUNNING = 1, WORK_DONE = 2, WORK_REFUSED = 3 };

#define WORK_REASON_BYTES 256

struct work {
	uint8_t pending[LIST_HASH_BYTES]; /* the change it is about */
	uint8_t phase;			  /* enum phase */
	uint8_t state;			  /* enum work_state */
	uint64_t found;			  /* keys in the dumps that are concerned */
	uint64_t moved;	  /* keys now at their new owner, or dropped where dropping is the work */
	uint64_t present; /* the new owner had them already */
	uint64_t gone;	  /* expired or deleted meanwhile */
	uint64_t failed;  /* refused by the new owner: lost as a miss */
	uint64_t left;	  /* known and not yet dealt with */
	uint64_t rate;	  /* keys a second, now */
	char reason[WORK_REASON_BYTES]; /* refused, or what it waits for */
};

/* RENEW: what a host reports when it asks for its lease. */
struct renew {
	uint64_t sequence;		   /* of the host's own; the grant repeats it */
	uint64_t incarnation;		   /* random at each start of the agent */
	uint64_t term, serial;		   /* adopted (and waited for), not merely heard of */
	uint64_t known_term, known_serial; /* the newest register that it holds */
	uint64_t generation;		   /* of its segment */
	struct work work;		   /* of the phase it has published */
};

/* GRANT: the register, and for how long the host holds a lease (0: none, it was only told). */
struct grant {
	uint64_t sequence;
	uint32_t lease_ms;
	struct reg reg;
};

#endif
