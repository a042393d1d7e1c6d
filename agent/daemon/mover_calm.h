/* mover_calm.h - how much a mover gives way to the other clients of the servers it works on.
 *
 * Pure.  A mover that gives way works in short spells and rests between them, and what its servers
 * answer others in the one is compared with the other: so whatever else slows them is not taken for
 * its own doing.  It is told the outcome at short intervals and answers with a rate, which falls
 * and grows by small steps, one for each spell.
 */
#ifndef MCROSTER_MOVER_CALM_H
#define MCROSTER_MOVER_CALM_H

#include <stdbool.h>
#include <stdint.h>

/* Keys a second.  The least is what hardly any server feels, so a move always ends.  In a batch a
 * key costs a tenth of what a client's read does: so many to a hundred reads are less than a
 * twentieth of what a server does for its clients, be its machine slow or fast. */
#define MOVER_CALM_LEAST	 10000u
#define MOVER_CALM_BORNE_PERCENT 38u
#define MOVER_CALM_MOST		 50000u
/* An item of so many bytes weighs as much as a key more. */
#define MOVER_CALM_BYTES 1024u
/* What is begun at once is small, for a server's thread answers nobody else meanwhile: so much of a
 * second's worth, and so many bytes where there is more than one item. */
#define MOVER_CALM_SAVED_MS   4u
#define MOVER_CALM_BYTES_ONCE (32u << 10)

struct mover_calm {
	uint64_t rate;	   /* keys a second; 0: no limit */
	uint64_t began_ns; /* of the first spell */
	uint64_t eased_ns; /* when it was changed last */
};

/* reads: of the server that others read least, a second; 0: nobody else uses any.  slow: they
 * answer more slowly than while it rests. */
void mover_calm_update(struct mover_calm *calm, uint64_t reads, bool slow, uint64_t now_ns);

enum mover_calm_spell {
	MOVER_CALM_WORKS,
	MOVER_CALM_ENDS, /* nothing is begun; what is under way is answered */
	MOVER_CALM_RESTS,
};

/* With no limit it always works. */
enum mover_calm_spell mover_calm_spell(const struct mover_calm *calm, uint64_t now_ns);

#endif
