/* spool.h - keys waiting for their turn, in an unlinked file of bounded size.
 *
 * A dump is read at full speed into a spool, and from there the keys are worked off; so a key space
 * never stands in memory, and memcached's crawler is never held back by a slow mover.  First in,
 * first out.  Keys are data of the users: the file is 0600 and has no name.
 */
#ifndef MCROSTER_SPOOL_H
#define MCROSTER_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "list/failure.h"

#define SPOOL_KEY_MAX 250u

struct spool_record {
	uint64_t cas;
	uint64_t size;
	uint32_t expires; /* by the source's clock, in seconds; 0: never */
	uint32_t idle_s;  /* since it was used; see core/room.h */
	uint16_t destination;
	uint8_t kind;
	uint8_t attempts;
	uint8_t key_bytes;
	uint8_t key[SPOOL_KEY_MAX];
};

struct spool;

/* -ENOMEM, or what the file system says of the directory. */
int spool_new(const char *directory, uint64_t bytes_max, struct spool **spool,
	      struct failure *failure);
void spool_free(struct spool *spool); /* NULL is fine */

/* Empties it. */
void spool_reset(struct spool *spool);
/* -EFBIG: it would be larger than bytes_max; or a write's error.  Nothing is appended then. */
int spool_append(struct spool *spool, const struct spool_record *record);
/* 1: *record is the next one; 0: there is none; or a read's error. */
int spool_next(struct spool *spool, struct spool_record *record);
uint64_t spool_count(const struct spool *spool); /* records not yet taken */
uint64_t spool_record_bytes(size_t key_bytes);

#endif
