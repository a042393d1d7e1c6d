/* client.h - a memcached client that follows mcroster's plans; writes go by libmemcached, reads by
 * pipelined `mg`, many keys at a time where the caller has many.
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
	/* The server to which the caller's own command of a write was sent and given up, perhaps to
	 * be executed yet; 0: none. */
	uint64_t given_up_at;
	bool given_up_delete; /* the same of a delete, at whichever server */
	int plan_error;	      /* CLIENT_REFUSED: enum mcr_error */
	char reason[160];     /* "" or what failed, and where */
};

struct client_value {
	const void *bytes; /* belongs to the client, until its next operation */
	size_t length;
	uint32_t flags;
	uint64_t cas, server_id; /* the token, and the server that gave it */
};

/* One read of many: the caller sets the key, the rest is the answer. */
struct client_read {
	const void *key;
	size_t key_bytes;
	enum client_status status;
	struct client_value value; /* CLIENT_OK: belongs to the client, until its next operation */
	/* As in struct client_result. */
	enum mcr_phase phase;
	uint8_t steps;
	unsigned plans;
	uint32_t generation; /* of the plan that gave the answer */
};

#define CLIENT_READS_MAX 128

/* Faults for a client to have on purpose, so that it can be shown that whoever checks it sees them.
 * The last one is none: it is as slow as PLANT_LATE, and holds to the rules. */
enum client_plant {
	PLANT_NOTHING,
	PLANT_FALLBACK, /* the first server's miss is taken for the answer */
	PLANT_LATE,	/* an operation that is slow now and then, and looks at no deadline */
	PLANT_SECOND,	/* the second step of a write is left out, but for deletes */
	PLANT_DELETE,	/* a delete goes to the old owner alone */
	PLANT_ORDER,	/* the steps of a write in the wrong order, and slowly */
	PLANT_STUBS,	/* an empty value is shown even where it counts as a miss */
	PLANT_SLOW,
	PLANT_COUNT
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
/* Up to CLIENT_READS_MAX at once, each by a plan of its own; each step goes to all its servers
 * together.  client_result says nothing of them. */
void client_get_many(struct client *client, struct client_read *reads, unsigned count);
enum client_status client_set(struct client *client, const void *key, size_t key_bytes,
			      const void *value, size_t value_bytes, uint32_t flags, time_t expiry);
enum client_status client_add(struct client *client, const void *key, size_t key_bytes,
			      const void *value, size_t value_bytes, uint32_t flags, time_t expiry);
enum client_status client_delete(struct client *client, const void *key, size_t key_bytes);
enum client_status client_incr(struct client *client, const void *key, size_t key_bytes,
			       uint32_t by, uint64_t *value);

/* With what a read gave: CLIENT_NOT_STORED when it is another value by now, or another server. */
enum client_status client_cas(struct client *client, const struct client_read *read,
			      const void *value, size_t value_bytes, uint32_t flags, time_t expiry);

void client_plant(struct client *client, enum client_plant plant);

const struct client_result *client_result(const struct client *client);
const char *client_status_name(enum client_status status);

#endif
