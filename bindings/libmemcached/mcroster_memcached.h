/* mcroster_memcached.h - the public API of libmcroster-memcached: libmemcached that follows
 * mcroster's plans.
 *
 * libmcroster says what an operation sends to which server, also while keys move (mcroster.h).
 * This library sends it, on libmemcached handles that it keeps, and keeps the rules that are the
 * sender's: the order of the steps, the deadline, what is done when a server does not answer, what
 * has to be deleted before a write counts as complete.  A program that calls it needs to know
 * nothing of phases.
 *
 * IN SHORT
 *
 *	struct mcr *mcr;
 *	struct mcr_pool *pool;
 *	struct mcr_pool_item item = {"greeting", 8, "hello", 5, 0, 60};
 *	struct mcr_pool_value value;
 *
 *	if (mcr_open("web", 0, &mcr) != MCR_OK || mcr_pool_new(mcr, NULL, &pool) != MCR_OK)
 *		...;
 *	if (mcr_pool_set(pool, &item, NULL) != MCR_POOL_OK)
 *		...;
 *	if (mcr_pool_get(pool, "greeting", 8, &value, NULL) == MCR_POOL_OK)
 *		free(value.bytes);
 *
 * HANDLES, THREADS, FORK
 *
 * A pool may be used by any number of threads.  Each operation takes a reader of libmcroster and a
 * set of handles, one memcached_st for each server, out of the pool, and puts them back; there come
 * to be as many sets as operations were ever under way at once.  A handle connects when it is first
 * used, is closed when anything but an answer of memcached's comes on it, and when its server has
 * not been asked for a while.  A child after a fork makes handles of its own; those of its parent
 * it leaves alone, open and unused.
 *
 * WHAT IS KEPT
 *
 *  - One operation takes op-timeout at most, the time that its deletes take when they have to be
 *    repeated apart.  A connection on which the answer did not come in time is closed by a reset,
 *    so that the command cannot follow when the network is back.
 *  - Every step of a plan is sent, in the plan's order, each when the one before has been answered
 *    or has failed, and none after the plan's deadline.
 *  - A write whose older value could not be removed everywhere, or that took longer than its plan
 *    was good for, is not reported as done: the key is deleted by the rule of the present phase,
 *    and where that fails the key is handed to the agent (mcr_owe).  MCR_POOL_OWED and
 *    MCR_POOL_INCOMPLETE say so.
 *  - A cas token is worth something at the server that gave it, and is kept with it.
 *  - Reads of many keys are sent to all their servers together, one request for each server, also
 *    those that follow at another server while keys move.
 *
 * Keys are 1 to 250 bytes of any value: what the classic protocol cannot name goes over the binary
 * one.  `expiry` is memcached's: 0 never, up to 30 days relative, beyond that a Unix time.
 */
#ifndef MCROSTER_MEMCACHED_H
#define MCROSTER_MEMCACHED_H

#include <libmemcached/memcached.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "mcroster.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an operation came to. */
enum mcr_pool_status {
	MCR_POOL_OK,
	MCR_POOL_NOT_FOUND,
	MCR_POOL_NOT_STORED, /* add: it is there; replace, append, prepend: it is not */
	MCR_POOL_EXISTS,     /* cas: it is another value by now, or goes to another server */
	MCR_POOL_NOT_NUMBER, /* incr, decr: the value is none */
	MCR_POOL_REFUSED,    /* no plan (report.plan_error), or no memory: nothing was sent */
	MCR_POOL_FAILED,     /* a server did not answer, or refused: whether a write took effect is
				unknown */
	MCR_POOL_INCOMPLETE, /* a write, and an older value could not be removed: it may be read */
	MCR_POOL_OWED,	     /* the same, and the agent is going to remove it */
	MCR_POOL_STATUS_COUNT
};

#define MCR_POOL_REASON_MAX 159u

/* More about it, for logs and for those who have to know. */
struct mcr_pool_report {
	enum mcr_pool_status status;
	int plan_error;	      /* MCR_POOL_REFUSED: enum mcr_error */
	enum mcr_phase phase; /* of the plan that gave the answer */
	uint32_t generation;  /* of that plan */
	uint8_t steps;	      /* of that plan */
	uint8_t invalidated;  /* a write that is complete, but the key was deleted to make it so */
	uint8_t owed;	      /* the agent may delete the key later, whatever the status */
	uint8_t given_up_delete; /* a delete was sent and given up, at whichever server */
	unsigned plans; /* made for this operation: more than one where it was planned again */
	/* The id of the server to which the caller's own command was sent and given up; a server
	 * that stalled after it had received it may execute it yet.  0: none. */
	uint64_t given_up_at;
	char reason[MCR_POOL_REASON_MAX + 1]; /* "" or what failed, and where */
};

/* A version of a value, for cas: good at one server only. */
struct mcr_pool_token {
	uint64_t cas, server_id;
};

struct mcr_pool_value {
	char *bytes; /* the caller's, to be freed by free(3); NULL for an empty one */
	size_t length;
	uint32_t flags;
	struct mcr_pool_token token; /* where it was asked for; else 0 */
};

/* What a write writes. */
struct mcr_pool_item {
	const void *key;
	size_t key_bytes;
	const void *value;
	size_t value_bytes;
	uint32_t flags;
	time_t expiry;
};

/* One read of many: the caller sets the key and whether a token is wanted, the rest is the answer.
 */
struct mcr_pool_read {
	const void *key;
	size_t key_bytes;
	uint8_t wants_token;
	enum mcr_pool_status status; /* MCR_POOL_OK, _NOT_FOUND, _REFUSED or _FAILED */
	struct mcr_pool_value value; /* MCR_POOL_OK; its bytes are NULL otherwise */
	/* As in struct mcr_pool_report. */
	enum mcr_phase phase;
	uint32_t generation;
	uint8_t steps;
	unsigned plans;
};

struct mcr_pool;

struct mcr_pool_options {
	/* Called for each new handle before it is used, by the thread that needs it: to set
	 * behaviours of one's own, to log in to a memcached with -Y, or to add the server by
	 * another way than `server->address` (memcached_server_add; if it adds none, the pool
	 * does).  `binary`: it is for the binary protocol.  What the rules above rest on is set
	 * afterwards: MEMCACHED_BEHAVIOR_NO_BLOCK, _BINARY_PROTOCOL, _SUPPORT_CAS, the time-outs;
	 * _BUFFER_REQUESTS, _NOREPLY, _USE_UDP, _AUTO_EJECT_HOSTS and replicas are taken back.
	 * Not MEMCACHED_SUCCESS: the handle cannot be had, the step has failed. */
	memcached_return_t (*prepare)(void *context, const struct mcr_server *server, int binary,
				      memcached_st *handle);
	void *context;
};

/* A pool for the cluster that `mcr` has opened; `mcr` is borrowed, and closed after the pool is
 * freed.  When operations are refused with MCR_MOVED the segment was replaced (an agent of another
 * version): free the pool, close, and open again.  `options` NULL: none.  *pool is released by
 * mcr_pool_free.  MCR_NO_MEMORY, MCR_SYSTEM, MCR_BAD_ARGUMENT. */
int mcr_pool_new(struct mcr *mcr, const struct mcr_pool_options *options, struct mcr_pool **pool);

/* Closes all connections.  No operation may be under way.  NULL is fine. */
void mcr_pool_free(struct mcr_pool *pool);

/* In all of these `report` may be NULL. */

/* MCR_POOL_OK: *value is the caller's. */
enum mcr_pool_status mcr_pool_get(struct mcr_pool *pool, const void *key, size_t key_bytes,
				  struct mcr_pool_value *value, struct mcr_pool_report *report);

/* The same, with the token that mcr_pool_cas needs. */
enum mcr_pool_status mcr_pool_gets(struct mcr_pool *pool, const void *key, size_t key_bytes,
				   struct mcr_pool_value *value, struct mcr_pool_report *report);

/* `count` keys at once, each with an answer of its own; a key may be there twice.  The report says
 * why the last of those that failed did, and how many plans were made for all of them. */
void mcr_pool_get_many(struct mcr_pool *pool, struct mcr_pool_read *reads, size_t count,
		       struct mcr_pool_report *report);

enum mcr_pool_status mcr_pool_set(struct mcr_pool *pool, const struct mcr_pool_item *item,
				  struct mcr_pool_report *report);

/* A lock built on add is not exclusive while its key moves (mcroster.h). */
enum mcr_pool_status mcr_pool_add(struct mcr_pool *pool, const struct mcr_pool_item *item,
				  struct mcr_pool_report *report);
enum mcr_pool_status mcr_pool_replace(struct mcr_pool *pool, const struct mcr_pool_item *item,
				      struct mcr_pool_report *report);

/* The item's flags and expiry are not used: memcached keeps those of the stored value.  While its
 * key moves the value may be dropped instead; the answer is MCR_POOL_NOT_STORED. */
enum mcr_pool_status mcr_pool_append(struct mcr_pool *pool, const struct mcr_pool_item *item,
				     struct mcr_pool_report *report);
enum mcr_pool_status mcr_pool_prepend(struct mcr_pool *pool, const struct mcr_pool_item *item,
				      struct mcr_pool_report *report);

/* Stores if the value is still the one that the token was read with. */
enum mcr_pool_status mcr_pool_cas(struct mcr_pool *pool, const struct mcr_pool_item *item,
				  const struct mcr_pool_token *token,
				  struct mcr_pool_report *report);

/* MCR_POOL_OK: *number (NULL is fine) is the new value. */
enum mcr_pool_status mcr_pool_incr(struct mcr_pool *pool, const void *key, size_t key_bytes,
				   uint32_t by, uint64_t *number, struct mcr_pool_report *report);
enum mcr_pool_status mcr_pool_decr(struct mcr_pool *pool, const void *key, size_t key_bytes,
				   uint32_t by, uint64_t *number, struct mcr_pool_report *report);

/* While its key moves the expiry stays as it was. */
enum mcr_pool_status mcr_pool_touch(struct mcr_pool *pool, const void *key, size_t key_bytes,
				    time_t expiry, struct mcr_pool_report *report);
enum mcr_pool_status mcr_pool_delete(struct mcr_pool *pool, const void *key, size_t key_bytes,
				     struct mcr_pool_report *report);

/* Constant strings. */
const char *mcr_pool_status_name(enum mcr_pool_status status);

#ifdef __cplusplus
}
#endif
#endif
