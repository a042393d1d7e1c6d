/* client_internal.h - what the reading and the writing half of the client share. */
#ifndef MCROSTER_TESTS_CLIENT_INTERNAL_H
#define MCROSTER_TESTS_CLIENT_INTERNAL_H

#include "client.h"
#include "wire.h"

/* How often an operation is planned again (late, overrun, generation gone) before it is an error:
 * each of these needs a generation to come out meanwhile, and these come op_timeout apart. */
#define PLANS_MAX 4

struct client {
	struct mcr *mcr;
	struct mcr_reader *reader;
	struct wire_pool *pool;
	void *held[CLIENT_READS_MAX]; /* values of the last reads */
	unsigned held_count;
	enum client_plant plant;
	uint64_t random; /* for the plants */
	uint32_t generation;
	uint32_t op_timeout_ms; /* of that generation */
	struct client_result result;
	void (*between)(void *context, enum mcr_phase phase); /* NULL: nobody wants to know */
	void *between_context;
};

/* An operation's key and, for writes, what is written. */
struct request {
	enum mcr_op op;
	const void *key;
	size_t key_bytes;
	const void *value;
	size_t value_bytes;
	uint32_t flags;
	time_t expiry;
	uint32_t by;
	uint64_t number; /* incr's answer */
	bool swap;	 /* an update that is a cas, by this token of this server */
	uint64_t cas, server_id;
};

/* A plan whose servers have been looked up while its generation was in the ring. */
struct run {
	struct mcr_plan plan;
	struct wire *wire[MCR_STEPS_MAX];
	uint64_t until_ns; /* op_timeout from its beginning */
};

/* The values that the last operation returned. */
void client_values_release(struct client *client);

/* Clears what the last operation left.  False: the key is not a valid one; the result says so. */
bool request_begin(struct client *client, const struct request *request);

/* Begins a plan and finds its servers.  0: it has to be closed with mcr_end; an enum mcr_error:
 * there is none. */
int run_begin(struct client *client, struct run *run, enum mcr_op op, const void *key,
	      size_t key_bytes);

/* The time that step i may take: what is left of op_timeout, less a share for each step behind it,
 * which is sent whatever becomes of this one. */
int run_step_timeout_ms(const struct client *client, const struct run *run, unsigned i);

enum found { FOUND, FOUND_NOTHING, FOUND_UNKNOWN, FOUND_LATE };

/* The reads at the head of a plan, under way.  The caller sets what stands first and releases
 * query.value when FOUND. */
struct reading {
	const struct run *run;
	const void *key;
	size_t key_bytes;

	enum found found;
	unsigned step; /* FOUND: where; else the first step behind the reads */
	struct wire_query query;
	bool failed, through;
};

/* Runs the reads of many plans, the steps of each in their order. */
void readings_run(struct client *client, struct reading *readings, unsigned count);

/* PLANT_LATE and PLANT_SLOW: now and then this sleeps for some op_timeouts. */
void client_dawdle(struct client *client);
bool client_too_late(const struct client *client, const struct run *run);
int client_end(const struct client *client, const struct run *run);

/* There is no plan: the result says why. */
enum client_status client_refuse(struct client *client, int plan_error);
void client_reason(struct client *client, const char *what, const struct wire *wire);
uint64_t client_now_ns(void); /* CLOCK_BOOTTIME, as deadlines are */

#endif
