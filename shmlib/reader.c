/* reader.c - route a key and bound its plan in time: what a client does for every operation.
 *
 * A lookup counts the operation in its own cache line, then is one acquire load of the generation,
 * the hash, one or two table loads (of a ring a few more), and a second look at the generation.
 * There is no clock in it unless the lease or a missing registration matters, no allocation, no
 * system call (but for steps towards a registration that is missing) and no lock; it never waits
 * for anybody.  A reader belongs to one thread at a time.
 *
 * The count stands before the look at the generation: whoever publishes the next one, and then
 * looks at the counts, sees every operation that does not see his (mcroster_clients.h).
 */
#include <stdlib.h>
#include <string.h>

#include "atomics.h"
#include "hash.h"
#include "internal.h"
#include "plan.h"

#define CACHE_LINE_BYTES 64

int mcr_reader_new(struct mcr *mcr, struct mcr_reader **reader)
{
	const size_t lines = (sizeof(**reader) + CACHE_LINE_BYTES - 1) / CACHE_LINE_BYTES;
	struct mcr_reader *made;

	if (mcr == NULL || reader == NULL)
		return MCR_BAD_ARGUMENT;
	made = aligned_alloc(CACHE_LINE_BYTES, lines * CACHE_LINE_BYTES);
	if (made == NULL)
		return MCR_NO_MEMORY;
	memset(made, 0, sizeof(*made));
	made->header = mcr->header;
	made->guard = mcr->guard;
	made->flying = made->own_flying;
	made->current = NO_GENERATION;
	made->mcr = mcr;
	mcr_guard_take(mcr);
	if (mcr_guard_stamp(mcr->guard) != 0)
		mcr_marks_line_take(mcr, made);
	mcr_guard_leave(mcr);
	*reader = made;
	return MCR_OK;
}

void mcr_reader_free(struct mcr_reader *reader)
{
	if (reader == NULL)
		return;
	mcr_guard_take(reader->mcr);
	mcr_marks_line_leave(reader->mcr, reader);
	mcr_guard_leave(reader->mcr);
	free(reader);
}

/* The first lookup, or the first since this process was forked or its registration changed. */
static __attribute__((noinline, cold)) int reader_move_in(struct mcr_reader *reader)
{
	struct mcr *mcr = reader->mcr;
	uint32_t stamp = mcr_guard_stamp(mcr->guard);

	reader->current = NO_GENERATION;
	reader->view.generation = 0;
	if (stamp == 0 || reader->home != mcr->home) {
		/* Held by another thread of this child, or by the one that a signal interrupted. */
		if (!mcr_guard_try(mcr))
			return MCR_NOT_REGISTERED;
		stamp = mcr_guard_stamp(mcr->guard);
		if (stamp != 0 && reader->home != mcr->home)
			mcr_marks_line_take(mcr, reader);
		mcr_guard_leave(mcr);
		if (stamp == 0)
			return MCR_NO_MEMORY;
	}
	reader->fenced = mcr->fenced;
	reader->stamp = stamp;
	return MCR_OK;
}

static inline bool reader_stays(const struct mcr_reader *reader)
{
	return LIKELY(mcr_guard_stamp(reader->guard) == reader->stamp);
}

/* ---- operations under way ---- */

/* The count of the generation that the next lookup expects. */
static inline uint32_t *flying_newest(const struct mcr_reader *reader)
{
	return &reader->flying[reader->newest % MCR_SEGMENT_RING];
}

/* A turn of the ring that comes round again holds operations of four generations ago, which are
 * long over: their mcr_end was left out, or will say MCR_REPEAT. */
static void flying_turn(struct mcr_reader *reader, uint32_t newest)
{
	uint32_t turns = newest - reader->newest;

	if (turns > MCR_SEGMENT_RING)
		turns = MCR_SEGMENT_RING;
	for (uint32_t i = 0; i < turns; i++)
		u32_store_relaxed(&reader->flying[(newest - i) % MCR_SEGMENT_RING], 0);
	reader->newest = newest;
	if (reader->line >= 0)
		u32_store_relaxed(&reader->mcr->marks->line[reader->line].used, newest);
}

/* A plan that a parent made is the parent's to count; one that is very old is not counted. */
static void flying_end(struct mcr_reader *reader, const struct mcr_plan *plan)
{
	if (mcr_guard_stamp(reader->guard) != 0 && reader->home == reader->mcr->home &&
	    reader->newest - plan->generation < MCR_SEGMENT_RING)
		flying_down(&reader->flying[plan->generation % MCR_SEGMENT_RING]);
}

/* ---- routing ---- */

static void refusal_note(const struct mcr_reader *reader, int error)
{
	struct mcr_marks *marks = reader->mcr->marks;

	if (error != MCR_CORRUPT && error != MCR_BAD_LAYOUT)
		return;
	u32_store_relaxed(&marks->refused_why, (uint32_t)-error);
	u32_store_relaxed(&marks->refused, generation_load_acquire(reader->header));
}

/* The generation moved, or this is the reader's first lookup.  `counted`: an operation is counted
 * for the newest generation so far; it is counted for the one that is found. */
static __attribute__((noinline, cold)) int reader_refresh(struct mcr_reader *reader, bool counted)
{
	const unsigned flags = reader->mcr->flags;
	struct view *view = &reader->view;
	int error;

	reader->current = NO_GENERATION;
	error = mcr_view_newest(reader->mcr, view);
	if (error != MCR_OK) {
		view->generation = 0;
		refusal_note(reader, error);
		return error;
	}
	if (counted)
		flying_down(flying_newest(reader));
	flying_turn(reader, view->generation);
	if (counted)
		flying_up(flying_newest(reader));
	reader->leased = (flags & MCR_STRICT) != 0 || (view->flags & MCR_SLOT_BYPASS) != 0;
	reader->unregistered =
	    (view->flags & MCR_SLOT_REGISTRATION) != 0 && !mcr_registered(reader->mcr);
	reader->clocked = reader->leased || reader->unregistered;
	reader->current = view->generation;
	return MCR_OK;
}

/* A plan that needs the lease, or the agent's patience, has a deadline of its own (ns); or it is
 * refused: a negative enum mcr_error. */
static __attribute__((noinline)) int64_t deadline_find(const struct mcr_reader *reader)
{
	const uint32_t op_timeout_ms = reader->view.op_timeout_ms;
	const uint64_t now_ns = mcr_clock_boot_ns();
	int error;

	if (reader->unregistered) {
		error = mcr_registration_permit(reader->mcr, op_timeout_ms, now_ns);
		if (error != MCR_OK)
			return error;
	}
	if (reader->leased && now_ns >= lease_load_acquire(reader->header))
		return MCR_ISOLATED;
	return (int64_t)(now_ns + (uint64_t)op_timeout_ms * 1000000u);
}

/* Nothing of it is ever passed by its address: it lives in registers. */
struct owners {
	uint32_t before, after;
};

struct route {
	struct owners owners;
	uint64_t deadline_ns;
};

static inline bool key_has_prefix(const struct view *view, const void *key, size_t len)
{
	return len >= view->prefix_bytes && memcmp(key, view->prefix, view->prefix_bytes) == 0;
}

/* Both owners where at least one table is not of slots.  The call keeps it out of the way of those
 * that are. */
static __attribute__((noinline)) struct owners tables_find(const struct view *view, const void *key,
							   size_t len)
{
	const uint32_t old_owner = mcr_table_owner(&view->old_table, key, len);
	struct owners owners = {old_owner, old_owner};

	if (view->phase != MCR_STEADY)
		owners.after = mcr_table_owner(&view->new_table, key, len);
	return owners;
}

static inline struct owners slots_find(const struct view *view, uint64_t hash)
{
	const uint32_t old_owner = table_slot_owner(&view->old_table, hash);
	struct owners owners = {old_owner, old_owner};

	if (UNLIKELY(view->phase != MCR_STEADY))
		owners.after = table_slot_owner(&view->new_table, hash);
	return owners;
}

/* Finds both owners under the newest generation, which is reader->view afterwards.  Inlined: the
 * call would cost a fifth of the whole. */
static inline __attribute__((always_inline)) int
route_find(struct mcr_reader *reader, const void *key, size_t len, bool plans, struct route *route)
{
	const struct view *view;

	view = &reader->view;
	for (int i = 0; i < READ_TRIES; i++) {
		uint32_t moved;
		bool exact = false;

		if (UNLIKELY(generation_load_acquire(reader->header) != reader->current)) {
			const int error = reader_refresh(reader, plans);

			if (error != MCR_OK)
				return error;
			continue; /* it is counted now, so look again */
		}
		if (UNLIKELY(view->prefix_bytes != 0) && !key_has_prefix(view, key, len))
			return MCR_NOT_COVERED;
		route->deadline_ns = 0;
		if (UNLIKELY(reader->clocked) && plans) {
			const int64_t deadline_ns = deadline_find(reader);

			if (deadline_ns < 0)
				return (int)deadline_ns;
			route->deadline_ns = (uint64_t)deadline_ns;
			exact = true;
		}
		route->owners = LIKELY(view->slots_alone) ? slots_find(view, mcr_hash(key, len))
							  : tables_find(view, key, len);
		moved = generation_recheck_acquire(reader->header) - view->generation;
		/* Whoever saw the lease must also have the phase that came with it: a host that
		 * was cut off may have skipped phases before it was granted this one. */
		if (UNLIKELY(moved >= (exact ? 1u : MCR_SEGMENT_LIVE)))
			continue;
		if (UNLIKELY(route->owners.before >= view->server_count ||
			     route->owners.after >= view->server_count))
			return MCR_CORRUPT;
		return MCR_OK;
	}
	return MCR_STALE;
}

/* Flattened: the calls of the hash would cost a tenth of the whole. */
__attribute__((flatten)) int mcr_begin(struct mcr_reader *reader, enum mcr_op op, const void *key,
				       size_t len, struct mcr_plan *plan)
{
	struct route route = {.deadline_ns = 0};
	int error;

	if (UNLIKELY((unsigned)op >= MCR_OP_COUNT || plan == NULL || reader == NULL || key == NULL))
		return MCR_BAD_ARGUMENT;
	if (UNLIKELY(len == 0 || len > MCR_KEY_MAX))
		return MCR_BAD_KEY;
	/* Before anything is counted: in a child the counts are the parent's. */
	if (UNLIKELY(!reader_stays(reader)) && (error = reader_move_in(reader)) != MCR_OK)
		return error;
	flying_up(flying_newest(reader));
	if (UNLIKELY(reader->fenced))
		generation_fence_seq_cst();
	error = route_find(reader, key, len, true, &route);
	if (UNLIKELY(error != MCR_OK)) {
		flying_down(flying_newest(reader));
		return error;
	}
	plan->generation = reader->view.generation;
	plan->deadline_ns = route.deadline_ns;
	plan_fill(reader->view.phase, op, route.owners.before, route.owners.after, plan);
	return MCR_OK;
}

int mcr_owner(struct mcr_reader *reader, const void *key, size_t len, uint32_t *old_owner,
	      uint32_t *new_owner)
{
	struct route route = {.deadline_ns = 0};
	int error;

	if (old_owner == NULL || new_owner == NULL || reader == NULL || key == NULL)
		return MCR_BAD_ARGUMENT;
	if (len == 0 || len > MCR_KEY_MAX)
		return MCR_BAD_KEY;
	error = reader_stays(reader) ? MCR_OK : reader_move_in(reader);
	if (error == MCR_OK)
		error = route_find(reader, key, len, false, &route);
	if (error != MCR_OK)
		return error;
	*old_owner = route.owners.before;
	*new_owner = route.owners.after;
	return MCR_OK;
}

/* Is it too late for a plan, now that `current` is out?  A plan of generation g is bounded by the
 * publication of g + 1; when not even that is in the ring any more it is long over. */
static bool plan_overrun(const struct mcr_reader *reader, const struct mcr_plan *plan,
			 uint32_t current)
{
	const struct mcr_segment_header *header = reader->header;
	const uint32_t next = plan->generation + 1;
	uint64_t until_ns = plan->deadline_ns != 0 ? plan->deadline_ns : UINT64_MAX;

	if (current != plan->generation) {
		const struct mcr_segment_turn *turn = &header->turn[next % MCR_SEGMENT_RING];
		const uint64_t retire_ns = u64_load_relaxed(&turn->retire_ns);

		if (!generation_live(generation_recheck_acquire(header), next))
			return true;
		if (retire_ns < until_ns)
			until_ns = retire_ns;
	}
	return mcr_clock_boot_ns() >= until_ns;
}

int mcr_check(struct mcr_reader *reader, const struct mcr_plan *plan)
{
	uint32_t current;

	if (UNLIKELY(reader == NULL || plan == NULL))
		return MCR_BAD_ARGUMENT;
	current = generation_load_acquire(reader->header);
	if (LIKELY(current == plan->generation && plan->deadline_ns == 0))
		return MCR_OK;
	return plan_overrun(reader, plan, current) ? MCR_LATE : MCR_OK;
}

int mcr_end(struct mcr_reader *reader, const struct mcr_plan *plan)
{
	uint32_t current;
	bool late;

	if (UNLIKELY(reader == NULL || plan == NULL))
		return MCR_BAD_ARGUMENT;
	current = generation_load_acquire(reader->header);
	if (LIKELY(current == plan->generation && plan->deadline_ns == 0 && reader_stays(reader))) {
		flying_down(&reader->flying[current % MCR_SEGMENT_RING]);
		return MCR_OK;
	}
	late = plan_overrun(reader, plan, current);
	flying_end(reader, plan);
	if (late)
		return MCR_REPEAT;
	return current == plan->generation ? MCR_OK : MCR_NEWER;
}
