/* wire.h - one step of a plan on one memcached: libmemcached's answers brought down to a few.
 *
 * A wire is a server as one session knows it: a libmemcached handle for the classic protocol and
 * one for the binary, each made by its first command.  An answer that is not one of memcached's own
 * (a time-out, a closed or refused connection, garbage) closes the handle, so that whatever was
 * sent on it can be mixed up with nothing that follows; so does an error that memcached reports,
 * for what it has done then is not known.  The next use makes a new one, which knows nothing of the
 * failures before: who is tried again is the plan's to say, not libmemcached's.
 *
 * One thread at a time.
 */
#ifndef MCROSTER_MEMCACHED_WIRE_H
#define MCROSTER_MEMCACHED_WIRE_H

#include <stdbool.h>

#include "mcroster_memcached.h"

enum wire_answer {
	WIRE_DONE,
	WIRE_MISS,	 /* not found */
	WIRE_NOT_STORED, /* add: it is there; replace, append, prepend: it is not */
	WIRE_EXISTS,	 /* cas: it is another one */
	WIRE_NOT_NUMBER,
	WIRE_FAILED /* no answer: the outcome is unknown */
};

/* libmemcached reads the classic protocol's answers right only where the key is of printable
 * characters; any other key goes over the binary protocol, which takes every byte. */
enum wire_protocol { WIRE_CLASSIC, WIRE_BINARY, WIRE_PROTOCOLS };

struct wire;

/* NULL: no memory, or the address is not "HOST:PORT".  `options` is borrowed. */
struct wire *mcr_wire_new(const struct mcr_server *server, const struct mcr_pool_options *options);
void mcr_wire_free(struct wire *wire); /* NULL is fine */

/* Frees it without a word to the server: the connection is a parent's. */
void mcr_wire_abandon(struct wire *wire);

bool mcr_wire_is(const struct wire *wire, const struct mcr_server *server);
uint64_t mcr_wire_server_id(const struct wire *wire);
const char *mcr_wire_address(const struct wire *wire);
const char *mcr_wire_reason(const struct wire *wire); /* of the last failure */

enum wire_command {
	WIRE_SET,
	WIRE_ADD,
	WIRE_REPLACE,
	WIRE_APPEND,
	WIRE_PREPEND,
	WIRE_CAS,
	WIRE_INCR,
	WIRE_DECR,
	WIRE_TOUCH,
	WIRE_DELETE
};

/* What a command may need. */
struct wire_write {
	const struct mcr_pool_item *item;
	uint64_t cas;
	uint32_t by;
	uint64_t number; /* incr's and decr's answer */
};

enum wire_answer mcr_wire_send(struct wire *wire, enum wire_command command,
			       struct wire_write *write, int timeout_ms);

/* One read of many.  The caller sets the key, which stays his, where the value goes, and whether
 * the token is wanted: in a request it is asked for where one of its queries wants it. */
struct wire_query {
	const void *key;
	size_t key_bytes;
	bool wants_token;
	enum wire_answer answer;      /* WIRE_DONE, WIRE_MISS or WIRE_FAILED */
	struct mcr_pool_value *value; /* WIRE_DONE: set, and the caller's to free */
};

enum wire_protocol mcr_wire_protocol_for(const void *key, size_t key_bytes);
bool mcr_wire_connected(const struct wire *wire, enum wire_protocol protocol);

/* Sends queries in one request; mcr_wire_fetch takes the answers, exactly once after each
 * mcr_wire_ask, whatever that said.  The queries are of one protocol. */
void mcr_wire_ask(struct wire *wire, enum wire_protocol protocol, struct wire_query *const *queries,
		  unsigned count, int timeout_ms);
void mcr_wire_fetch(struct wire *wire, enum wire_protocol protocol,
		    struct wire_query *const *queries, unsigned count, int timeout_ms);

/* The socket on which the answers that are to be fetched come, so that one can wait for several
 * wires' at once; -1: there are none, or it cannot be told.  The handle's, and closed with it. */
int mcr_wire_socket(struct wire *wire, enum wire_protocol protocol);

/* Both, for one query. */
void mcr_wire_get(struct wire *wire, struct wire_query *query, int timeout_ms);

#endif
