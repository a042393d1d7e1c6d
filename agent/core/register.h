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

#include "core/clients.h"
#include "list/list.h"
#include "list/phase.h"

#define REGISTER_REASON_BYTES 256
/* A bit for each server or agent of a change, by its number there. */
#define REGISTER_SET_BYTES (2 * LIST_SERVERS_MAX / 8)
#define REGISTER_BYTES                                                                             \
	(8 * 6 + 5 + 3 * LIST_HASH_BYTES + 64 + REGISTER_REASON_BYTES + 2 * REGISTER_SET_BYTES)

struct reg {
	uint64_t term, serial;	/* (0, 0): there is no register */
	uint64_t epoch;		/* of the active list */
	uint64_t next_epoch;	/* of the pending list; 0: no change */
	uint64_t highest_epoch; /* the greatest ever accepted, undone ones included */
	uint8_t phase;		/* enum phase */
	bool long_leases;	/* steady leases granted before may still run */
	bool copied;		/* COPY was reached in this change */
	bool aborting;		/* an abort was ordered: UNWIND comes next */
	bool handed_over;	/* `coordinator` takes over, in the next term */
	uint64_t keys_version;	/* of the keys document in force; 0: the keys of agent.conf */
	uint8_t keys[LIST_HASH_BYTES];
	uint8_t given_up[REGISTER_SET_BYTES]; /* servers of the change */
	uint8_t excused[REGISTER_SET_BYTES];  /* agents of the change */
	uint8_t active[LIST_HASH_BYTES], pending[LIST_HASH_BYTES];
	char coordinator[LIST_NAME_MAX + 1];
	char reason[REGISTER_REASON_BYTES]; /* why the last change was undone; "" otherwise */
};

/* A bit of given_up or excused. */
static inline bool register_set_has(const uint8_t set[REGISTER_SET_BYTES], uint32_t number)
{
	return (set[number / 8] & (1u << number % 8)) != 0;
}

static inline void register_set_add(uint8_t set[REGISTER_SET_BYTES], uint32_t number)
{
	set[number / 8] |= (uint8_t)(1u << number % 8);
}

/* <0, 0, >0 by (term, serial). */
int register_compare(const struct reg *a, const struct reg *b);
void register_encode(const struct reg *reg, uint8_t bytes[REGISTER_BYTES]);
/* -EBADMSG when a field is out of bounds; *reg untouched then. */
int register_decode(const uint8_t bytes[REGISTER_BYTES], struct reg *reg);

/* Does a phase have work, and is it done on the servers that gain keys, that lose them?  `unaware`:
 * clients that know nothing of phases use them (struct change). */
bool phase_works_gaining(enum phase phase, bool unaware);
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
	uint64_t expired; /* dead, or not worth moving because they soon are */
	uint64_t gone;	  /* deleted meanwhile, or being recomputed */
	uint64_t failed;  /* refused by the new owner: lost as a miss */
	uint64_t cold;	  /* left out: their new owner would have evicted hotter ones for them */
	uint64_t left;	  /* known and not yet dealt with: found less all of the above */
	uint64_t rate;	  /* keys a second, now */
	char reason[WORK_REASON_BYTES]; /* refused, or what it waits for */
};

/* True at any time of what a mover says. */
static inline bool work_adds_up(const struct work *work)
{
	return work->found == work->moved + work->present + work->expired + work->gone +
				  work->failed + work->cold + work->left;
}

/* What has become of the keys of a change, of all phases that moved them. */
struct moved {
	uint64_t found, moved, present, expired, gone, failed, cold; /* as in struct work */
};

/* What is left is found again by whoever goes on, and so are the cold ones that COPY leaves to
 * DRAIN. */
static inline void moved_add(struct moved *sum, const struct work *work)
{
	uint64_t later = work->left + (work->phase == PHASE_COPY ? work->cold : 0);

	sum->found += work->found - later;
	sum->moved += work->moved;
	sum->present += work->present;
	sum->expired += work->expired;
	sum->gone += work->gone;
	sum->failed += work->failed;
	sum->cold += work->phase == PHASE_COPY ? 0 : work->cold;
}

#define RELEASE_BYTES 16u /* a program's version, such as 0.1.0 */

/* RENEW: what a host reports when it asks for its lease. */
struct renew {
	uint64_t sequence;     /* of the host's own; the grant repeats it */
	uint64_t incarnation;  /* random at each start of the agent */
	uint64_t term, serial; /* adopted (and waited for), not merely heard of */
	struct reg known;      /* the newest register that it holds; term 0: none */
	bool successor;	       /* it has a session to the coordinator of the pending list */
	bool ready;	       /* it is that coordinator, and has what it needs to take over */
	uint64_t vote;	       /* the term of the failover order kept that names the one asked; 0 */
	uint64_t generation;   /* of its segment */
	uint32_t clients[CLIENT_STANDINGS]; /* of its segment's generation, by standing */
	struct work work;		    /* of the phase it has published */
	struct moved moved;		    /* of this change, in phases that are done */
	char release[RELEASE_BYTES];	    /* the agent's; "": it does not say (version 1) */
};

/* GRANT: the register, and for how long the host holds a lease (0: none, it was only told). */
struct grant {
	uint64_t sequence;
	uint32_t lease_ms;
	struct reg reg;
};

#endif
