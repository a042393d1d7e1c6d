/* mc_chunks.h - where TLS records end in what is to be sent to a memcached.
 *
 * memcached waits for its socket although OpenSSL may hold the rest of a record for it (1.6.18): it
 * reads 16 KiB of commands at most, and of a value that is not whole among them exactly the rest.
 * So nothing may follow in a record that it does not take in one piece with it.  A chunk is a run
 * of whole commands that it reads at once, or one longer command; a record never reaches from one
 * into the next.
 */
#ifndef MCROSTER_MC_CHUNKS_H
#define MCROSTER_MC_CHUNKS_H

#include <stddef.h>

#include "net/mc_buffer.h"

struct mc_chunks {
	struct mc_buffer lengths; /* size_t each; of the first what is left of it */
};

/* A whole command of so many bytes is put at the end. */
void mc_chunks_add(struct mc_chunks *chunks, size_t bytes);
/* What is left of the first chunk; 0: there is none. */
size_t mc_chunks_first(const struct mc_chunks *chunks);
/* So many bytes of it are sent; not more than it has. */
void mc_chunks_sent(struct mc_chunks *chunks, size_t bytes);
void mc_chunks_free(struct mc_chunks *chunks);

#endif
