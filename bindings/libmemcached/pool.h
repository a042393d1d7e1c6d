/* pool.h - what the files of libmcroster-memcached share: sessions, and plans under way in them.
 *
 * A session is what one operation needs and one thread has at a time: a reader of libmcroster and a
 * wire to each server that it has spoken to.  Sessions lie in the pool while nobody uses them, in
 * piles: a thread finds on top of its own the one that it used last, for that is the warmest.
 */
#ifndef MCROSTER_MEMCACHED_POOL_H
#define MCROSTER_MEMCACHED_POOL_H

#include "mcroster_memcached.h"
#include "wire.h"

/* How often an operation is planned again (late, overrun, generation gone) before it is an error:
 * each of these needs a generation to come out meanwhile, and these come op_timeout apart. */
#define PLANS_MAX 4

/* Reads that are under way together. */
#define READS_MAX 128u

struct session {
	struct session *idle;	 /* the next one in the pool that nobody uses */
	struct session *sibling; /* the next one of all */
	struct mcr_pool *pool;
	struct mcr_reader *reader;

	/* Every wire, and which is a server's by its number in `generation`. */
	struct session_wire {
		struct wire *wire;
		uint32_t used; /* the last generation that looked it up */
	} * wires;
	unsigned wire_count, wire_room;
	struct wire **numbered;
	uint32_t numbered_count, generation, pruned;
	uint32_t op_timeout_ms; /* of that generation */

	struct mcr_pool_report report;
};

/* A plan whose servers have been looked up while its generation was in the ring. */
struct run {
	struct mcr_plan plan;
	struct wire *wire[MCR_STEPS_MAX];
	uint64_t begun_ns;
};

/* A clock for time-outs, as coarse as it is cheap.  What a late answer is worth is not its
 * business: mcr_check and mcr_end say that. */
uint64_t mcr_pool_now_ns(void);

/* A session for an operation, its report cleared.  NULL: no memory. */
struct session *mcr_session_take(struct mcr_pool *pool);

/* Puts it back and hands out its report; returns its status. */
enum mcr_pool_status mcr_session_leave(struct session *session, struct mcr_pool_report *report);

/* The same where there was no session to be had. */
enum mcr_pool_status mcr_session_none(struct mcr_pool_report *report);

/* There is no plan: the report says why. */
enum mcr_pool_status mcr_session_refuse(struct session *session, int plan_error);

/* Something failed at this wire, for the reason that it has. */
void mcr_session_reason(struct session *session, const char *what, const struct wire *wire);

/* Begins a plan and finds its servers.  MCR_OK: it has to be closed with mcr_end; else there is
 * none.  `now_ns` is not later than now. */
int mcr_run_begin(struct session *session, struct run *run, uint64_t now_ns, enum mcr_op op,
		  const void *key, size_t key_bytes);

/* The time that step i may take: what is left of op_timeout, less a share for each step behind it,
 * which is sent whatever becomes of this one. */
int mcr_run_step_timeout_ms(const struct session *session, const struct run *run, unsigned i);

enum found { FOUND, FOUND_NOTHING, FOUND_UNKNOWN, FOUND_LATE };

/* The reads at the head of a plan, under way.  The caller sets what stands first, and frees
 * the value's bytes when FOUND. */
struct reading {
	const struct run *run;

	struct wire_query query; /* its key is the caller's to set */
	enum found found;
	unsigned step; /* FOUND: where; else the first step behind the reads */
	bool failed, through;
};

/* Runs the reads of one plan in their order. */
void mcr_reading_run(struct session *session, struct reading *reading);

#endif
