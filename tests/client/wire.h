/* wire.h - one step of a plan on one memcached: its answers brought down to a few.
 *
 * A pool holds the connections to each server: libmemcached's, which writes, and one on which reads
 * are pipelined (ask.h).  An answer that is not one of memcached's own
 * (a time-out, a closed or refused connection, garbage) closes the connection: whatever was sent
 * on it can then no longer be mixed up with what follows.  The next use opens a new one.
 * One thread per pool.  Shared by the programs of this directory (it has no main).
 */
#ifndef MCROSTER_TESTS_WIRE_H
#define MCROSTER_TESTS_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum wire_answer {
	WIRE_DONE,
	WIRE_MISS,	 /* get, delete, incr: not found */
	WIRE_NOT_STORED, /* add: it is there */
	WIRE_NOT_NUMBER,
	WIRE_FAILED /* no answer: the outcome is unknown */
};

struct wire_pool;
struct wire;

struct wire_pool *wire_pool_new(void);
void wire_pool_free(struct wire_pool *pool); /* NULL is fine */

/* The connection to a server, by its identity; opened by its first command.  NULL: no memory, or
 * the address is not numeric "a.b.c.d:port" or "[v6]:port". */
struct wire *wire_of(struct wire_pool *pool, uint64_t server_id, const char *address);

/* One read of many.  The caller sets the key; both stay his. */
struct wire_query {
	const void *key;
	size_t key_bytes;
	enum wire_answer answer; /* WIRE_DONE, WIRE_MISS or WIRE_FAILED */
	void *value;		 /* malloc'd, the caller's; NULL for an empty one */
	size_t value_bytes;
	uint32_t flags;
	uint64_t cas;
	struct wire_query *next;
};

/* Reads go out together: each is given to its server's wire, then wire_pool_exchange sends them all
 * and returns when all are answered or timeout_ms is over. */
void wire_ask(struct wire *wire, struct wire_query *query);
void wire_pool_exchange(struct wire_pool *pool, int timeout_ms);

enum wire_answer wire_set(struct wire *wire, int timeout_ms, const void *key, size_t key_bytes,
			  const void *value, size_t value_bytes, uint32_t flags, time_t expiry);
enum wire_answer wire_add(struct wire *wire, int timeout_ms, const void *key, size_t key_bytes,
			  const void *value, size_t value_bytes, uint32_t flags, time_t expiry);
/* WIRE_NOT_STORED: it is another one than the CAS was of. */
enum wire_answer wire_cas(struct wire *wire, int timeout_ms, const void *key, size_t key_bytes,
			  const void *value, size_t value_bytes, uint32_t flags, time_t expiry,
			  uint64_t cas);
enum wire_answer wire_delete(struct wire *wire, int timeout_ms, const void *key, size_t key_bytes);
enum wire_answer wire_incr(struct wire *wire, int timeout_ms, const void *key, size_t key_bytes,
			   uint32_t by, uint64_t *value);

/* Why the last command on it failed, or the last query; its server's address and identity. */
const char *wire_reason(const struct wire *wire);
const char *wire_query_reason(const struct wire *wire);
const char *wire_address(const struct wire *wire);
uint64_t wire_server_id(const struct wire *wire);

#endif
