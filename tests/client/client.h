/* client.h - a memcached client that follows mcroster's plans, with libmemcached on the wire.
 *
 * One `struct client` per thread; it owns one connection for each server it has spoken to.  Every
 * operation takes a plan from libmcroster, carries its steps out in order, each waiting for the
 * reply of the one before, and tells libmcroster when it is through.  While no keys move this is
 * one step; while they do, the plan says where to read next and what to delete where.  An operation
 * is bounded by the list's op_timeout; a connection that timed out is closed, so that its command
 * cannot follow.  A delete that cannot be delivered is handed to the agent.
 *
 * Shared by the programs of this directory (it has no main).
 */
#ifndef MCROSTER_TESTS_CLIENT_H
#define MCROSTER_TESTS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "mcroster.h"

enum client_status {
	CLIENT_OK,
	CLIENT_NOT_FOUND,
	CLIENT_NOT_STORED, /* add: the key is there already */
	CLIENT_NOT_NUMBER, /* incr: the value is no number, or, while keys move, a miss */
	CLIENT_REFUSED,	   /* no plan, or the key is not a valid one: nothing was sent */
	CLIENT_FAILED,	   /* a server did not answer: a write may or may not have happened */
	CLIENT_INCOMPLETE, /* a write, and an older value could not be removed: still read */
	CLIENT_OWED,	   /* the same, and the agent is going to remove it */
	CLIENT_STATUS_COUNT
};

/* What the last operation came to. */
struct client_result {
	enum client_status status;
	enum mcr_phase phase; /* of the plan that gave the answer */
	uint8_t steps;	      /* of that plan */
	unsigned plans;	  /* made for this operation: more than one where it was planned again */
	bool invalidated; /* a write that is complete, but the key was deleted to make it so */
	bool owed;	  /* the agent may delete the key later, whatever the status */
	int plan_error;	  /* CLIENT_REFUSED: enum mcr_error */
	char reason[160]; /* "" or what failed, and where */
};

struct client_value {
	const void *bytes; /* belongs to the client, until its next operation */
	size_t length;
	uint32_t flags;
};

struct client;

/* `mcr` is borrowed and may be shared by the clients of many threads.  enum mcr_error. */
int client_new(struct mcr *mcr, struct client **client);
void client_free(struct client *client); /* NULL is fine */

/* Called in the middle of each write: one of its commands has been answered, the next is not sent
 * yet.  For those who want to die there. */
void client_between(struct client *client, void (*between)(void *context, enum mcr_phase phase),
		    void *context);

/* Keys are 1 to 250 bytes; what the classic protocol cannot carry goes over the binary one.
 * `expiry` is memcached's: 0 never, up to 30 days relative, beyond that absolute. */
enum client_status client_get(struct client *client, const void *key, size_t key_bytes,
			      struct client_value *value);
enum client_status client_set(struct client *client, const void *key, size_t key_bytes,
			      const void *value, size_t value_bytes, uint32_t flags, time_t expiry);
enum client_status client_add(struct client *client, const void *key, size_t key_bytes,
			      const void *value, size_t value_bytes, uint32_t flags, time_t expiry);
enum client_status client_delete(struct client *client, const void *key, size_t key_bytes);
enum client_status client_incr(struct client *client, const void *key, size_t key_bytes,
			       uint32_t by, uint64_t *value);

const struct client_result *client_result(const struct client *client);
const char *client_status_name(enum client_status status);

#endif
