/* pool.c - the pool's life, its sessions and their plans (pool.h); read.c and write.c carry plans
 * out.
 *
 * The lock, and whose process this is, stand in a page that the kernel wipes in a child
 * (MADV_WIPEONFORK).  A child that finds it empty leaves its parent's sessions alone and begins its
 * own; the lock is free in it, whoever held it in the parent.  It is held for a few instructions.
 */
#include "pool.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The part of op_timeout that is kept for each step that is still to come. */
#define STEP_SHARES 8u

/* A server that no plan of so many generations went to is let go: a change has eight at most. */
#define WIRE_IDLE_GENERATIONS 16u

/* Idle sessions lie in several piles, and a thread takes from its own first: so it mostly has the
 * session that it had before, whose connections and memory are at hand. */
#define PILES 16u

struct guard {
	uint32_t busy, ours;
};

struct mcr_pool {
	struct mcr *mcr;
	struct mcr_pool_options options;
	struct guard *guard; /* the page */
	struct session *idle[PILES], *all;
	struct session *parents; /* left alone */
};

uint64_t mcr_pool_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- the pool ---- */

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void pool_lock(struct mcr_pool *pool)
{
	struct session *last;

	while (__atomic_exchange_n(&pool->guard->busy, 1, __ATOMIC_ACQUIRE))
		(void)sched_yield();
	if (pool->guard->ours)
		return;
	pool->guard->ours = 1;
	memset(pool->idle, 0, sizeof(pool->idle));
	if (!pool->all)
		return;
	for (last = pool->all; last->sibling;)
		last = last->sibling;
	last->sibling = pool->parents;
	pool->parents = pool->all;
	pool->all = NULL;
}

static void pool_unlock(struct mcr_pool *pool)
{
	__atomic_store_n(&pool->guard->busy, 0, __ATOMIC_RELEASE);
}

int mcr_pool_new(struct mcr *mcr, const struct mcr_pool_options *options, struct mcr_pool **out)
{
	struct mcr_pool *pool;
	void *page;

	if (!mcr || !out)
		return MCR_BAD_ARGUMENT;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return MCR_NO_MEMORY;
	page = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		free(pool);
		return MCR_NO_MEMORY;
	}
	if (madvise(page, page_bytes(), MADV_WIPEONFORK) != 0) {
		(void)munmap(page, page_bytes());
		free(pool);
		return MCR_SYSTEM;
	}
	pool->mcr = mcr;
	if (options)
		pool->options = *options;
	pool->guard = page;
	pool->guard->ours = 1;
	*out = pool;
	return MCR_OK;
}

static void session_free(struct session *session, void (*wire_end)(struct wire *wire))
{
	for (unsigned i = 0; i < session->wire_count; i++)
		wire_end(session->wires[i].wire);
	mcr_reader_free(session->reader);
	free(session->numbered);
	free(session->wires);
	free(session);
}

static void sessions_free(struct session *session, void (*wire_end)(struct wire *wire))
{
	while (session) {
		struct session *next = session->sibling;

		session_free(session, wire_end);
		session = next;
	}
}

void mcr_pool_free(struct mcr_pool *pool)
{
	if (!pool)
		return;
	pool_lock(pool);
	pool_unlock(pool);
	sessions_free(pool->all, mcr_wire_free);
	sessions_free(pool->parents, mcr_wire_abandon);
	(void)munmap(pool->guard, page_bytes());
	free(pool);
}

/* ---- sessions ---- */

static struct session *session_new(struct mcr_pool *pool)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->pool = pool;
	if (mcr_reader_new(pool->mcr, &session->reader) != MCR_OK) {
		free(session);
		return NULL;
	}
	pool_lock(pool);
	session->sibling = pool->all;
	pool->all = session;
	pool_unlock(pool);
	return session;
}

/* Threads' own storage lies some pages apart. */
static unsigned pile_own(void)
{
	static _Thread_local char mark;

	return (unsigned)(((uint64_t)(uintptr_t)&mark * 0x9e3779b97f4a7c15u) >> 60) % PILES;
}

struct session *mcr_session_take(struct mcr_pool *pool)
{
	const unsigned own = pile_own();
	struct session *session = NULL;

	pool_lock(pool);
	for (unsigned i = 0; i < PILES && !session; i++) {
		struct session **pile = &pool->idle[(own + i) % PILES];

		session = *pile;
		if (session)
			*pile = session->idle;
	}
	pool_unlock(pool);
	if (!session)
		return session_new(pool);
	/* All but the reason, of which the first byte says that there is none. */
	memset(&session->report, 0, offsetof(struct mcr_pool_report, reason) + 1);
	return session;
}

/* Between operations: nobody has a wire in hand. */
static void session_prune(struct session *session)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < session->wire_count; i++) {
		if (session->generation - session->wires[i].used > WIRE_IDLE_GENERATIONS)
			mcr_wire_free(session->wires[i].wire);
		else
			session->wires[kept++] = session->wires[i];
	}
	session->wire_count = kept;
	session->pruned = session->generation;
}

enum mcr_pool_status mcr_session_leave(struct session *session, struct mcr_pool_report *report)
{
	struct mcr_pool *pool = session->pool;
	const enum mcr_pool_status status = session->report.status;
	const unsigned own = pile_own();

	if (report)
		*report = session->report;
	if (session->pruned != session->generation)
		session_prune(session);
	pool_lock(pool);
	session->idle = pool->idle[own];
	pool->idle[own] = session;
	pool_unlock(pool);
	return status;
}

enum mcr_pool_status mcr_session_none(struct mcr_pool_report *report)
{
	if (report) {
		*report = (struct mcr_pool_report){.status = MCR_POOL_REFUSED,
						   .plan_error = MCR_NO_MEMORY};
		(void)snprintf(report->reason, sizeof(report->reason), "%s",
			       mcr_strerror(MCR_NO_MEMORY));
	}
	return MCR_POOL_REFUSED;
}

enum mcr_pool_status mcr_session_refuse(struct session *session, int plan_error)
{
	session->report.plan_error = plan_error;
	(void)snprintf(session->report.reason, sizeof(session->report.reason), "%s",
		       mcr_strerror(plan_error));
	return session->report.status = MCR_POOL_REFUSED;
}

void mcr_session_reason(struct session *session, const char *what, const struct wire *wire)
{
	(void)snprintf(session->report.reason, sizeof(session->report.reason), "%s at %.60s: %s",
		       what, mcr_wire_address(wire), mcr_wire_reason(wire));
}

/* ---- wires ---- */

static struct wire *wire_find(struct session *session, const struct mcr_server *server)
{
	struct session_wire *place;

	for (unsigned i = 0; i < session->wire_count; i++)
		if (mcr_wire_is(session->wires[i].wire, server)) {
			session->wires[i].used = session->generation;
			return session->wires[i].wire;
		}
	if (session->wire_count == session->wire_room) {
		const unsigned room = session->wire_room ? session->wire_room * 2 : 8;

		place = realloc(session->wires, room * sizeof(*place));
		if (!place)
			return NULL;
		session->wires = place;
		session->wire_room = room;
	}
	place = &session->wires[session->wire_count];
	place->wire = mcr_wire_new(server, &session->pool->options);
	place->used = session->generation;
	if (place->wire)
		session->wire_count++;
	return place->wire;
}

/* A generation is new to the session: numbers are others now. */
static int session_turn(struct session *session, uint32_t generation)
{
	struct mcr_info info;
	const int rc = mcr_info(session->pool->mcr, &info);

	if (rc != MCR_OK)
		return rc;
	if (info.server_count > session->numbered_count) {
		struct wire **numbered =
		    realloc(session->numbered, info.server_count * sizeof(*numbered));

		if (!numbered)
			return MCR_NO_MEMORY;
		session->numbered = numbered;
		session->numbered_count = info.server_count;
	}
	memset(session->numbered, 0, session->numbered_count * sizeof(*session->numbered));
	session->op_timeout_ms = info.op_timeout_ms;
	session->generation = generation;
	return MCR_OK;
}

static int step_wire(struct session *session, const struct mcr_plan *plan, unsigned number,
		     struct wire **wire)
{
	struct mcr_server server;
	int rc;

	if (number < session->numbered_count && session->numbered[number]) {
		*wire = session->numbered[number];
		return MCR_OK;
	}
	rc = mcr_server(session->reader, plan, number, &server);
	if (rc != MCR_OK)
		return rc;
	*wire = wire_find(session, &server);
	if (!*wire)
		return MCR_NO_MEMORY;
	if (number < session->numbered_count)
		session->numbered[number] = *wire;
	return MCR_OK;
}

/* ---- plans ---- */

int mcr_run_begin(struct session *session, struct run *run, uint64_t now_ns, enum mcr_op op,
		  const void *key, size_t key_bytes)
{
	for (int attempt = 0; attempt < PLANS_MAX; attempt++) {
		int rc;

		run->begun_ns = now_ns;
		rc = mcr_begin(session->reader, op, key, key_bytes, &run->plan);
		if (rc == MCR_STALE)
			continue;
		if (rc != MCR_OK)
			return rc;
		session->report.plans++;
		if (run->plan.generation != session->generation)
			rc = session_turn(session, run->plan.generation);
		for (unsigned i = 0; rc == MCR_OK && i < run->plan.step_count; i++)
			rc =
			    step_wire(session, &run->plan, run->plan.step[i].server, &run->wire[i]);
		if (rc == MCR_OK)
			return MCR_OK;
		(void)mcr_end(session->reader, &run->plan);
		if (rc != MCR_STALE)
			return rc;
	}
	return MCR_STALE;
}

int mcr_run_step_timeout_ms(const struct session *session, const struct run *run, unsigned i)
{
	const uint64_t all_ms = session->op_timeout_ms;
	const uint64_t share_ms = all_ms / STEP_SHARES;
	const uint64_t behind_ms = share_ms * (run->plan.step_count - 1u - i);
	uint64_t left_ms = all_ms;

	if (run->plan.step_count == 1)
		return (int)all_ms;
	/* Of the first step's time nothing is gone yet that is worth a look at the clock. */
	if (i > 0) {
		const uint64_t gone_ms = (mcr_pool_now_ns() - run->begun_ns) / 1000000u;

		left_ms = gone_ms < all_ms ? all_ms - gone_ms : 0;
	}
	if (left_ms > behind_ms + share_ms)
		return (int)(left_ms - behind_ms);
	if (left_ms > share_ms)
		left_ms = share_ms;
	return left_ms > 0 ? (int)left_ms : 1;
}

const char *mcr_pool_status_name(enum mcr_pool_status status)
{
	static const char *const names[MCR_POOL_STATUS_COUNT] = {
	    [MCR_POOL_OK] = "ok",
	    [MCR_POOL_NOT_FOUND] = "not found",
	    [MCR_POOL_NOT_STORED] = "not stored",
	    [MCR_POOL_EXISTS] = "exists",
	    [MCR_POOL_NOT_NUMBER] = "not a number",
	    [MCR_POOL_REFUSED] = "refused",
	    [MCR_POOL_FAILED] = "failed",
	    [MCR_POOL_INCOMPLETE] = "incomplete",
	    [MCR_POOL_OWED] = "owed",
	};

	return (unsigned)status < MCR_POOL_STATUS_COUNT ? names[status] : "unknown";
}
