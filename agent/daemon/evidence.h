/* evidence.h - signed documents that contradict an accepted one: refused, and kept for those who
 * want to know whose keys signed both.
 *
 * They are files of the state directory, evidence.KIND.NUMBER.HASH, at most EVIDENCE_MAX; they stay
 * until somebody removes them there.
 */
#ifndef MCROSTER_EVIDENCE_H
#define MCROSTER_EVIDENCE_H

#include "daemon/state.h"
#include "list/list.h"

#define EVIDENCE_MAX 16u

enum evidence_kind { EVIDENCE_LIST, EVIDENCE_KEYS };

struct evidence {
	enum evidence_kind kind;
	uint64_t number; /* the epoch of a list, the version of a keys document */
	uint8_t hash[LIST_HASH_BYTES];
};

/* The signatures were checked: whoever signed it said two things.  Kept once. */
void evidence_keep(struct state *state, const struct evidence *evidence, const void *document,
		   size_t bytes);

/* What is kept, in the order of hashes; returns how many. */
uint32_t evidence_read(struct state *state, struct evidence kept[EVIDENCE_MAX]);

/* The document itself, malloc'd; NULL: there is none of that hash. */
void *evidence_load(struct state *state, const uint8_t hash[LIST_HASH_BYTES], size_t *bytes);

/* "list", "keys" */
const char *evidence_kind_name(enum evidence_kind kind);

#endif
