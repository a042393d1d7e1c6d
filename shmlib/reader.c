/* reader.c - route a key and bound its plan in time: what a client does for every operation.
 *
 * A lookup is one acquire load of the generation, the hash, one or two table loads (of a ring a few
 * more), and a second look at the generation.  There is no clock in it unless the lease matters, no
 * allocation, no system call and no lock; it never waits for anybody.  A reader belongs to one
 * thread at a time.
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
	made->current = NO_GENERATION;
	made->mcr = mcr;
	*reader = made;
	return MCR_OK;
}

void mcr_reader_free(struct mcr_reader *reader)
{
	free(reader);
}

/* The generation moved, or this is the reader's first lookup. */
static __attribute__((noinline, cold)) int reader_refresh(struct mcr_reader *reader)
{
	int error;

	reader->current = NO_GENERATION;
	error = mcr_view_newest(reader->mcr, &reader->view);
	if (error != MCR_OK)
		return error;
	reader->clocked =
	    (reader->mcr->flags & MCR_STRICT) != 0 || (reader->view.flags & MCR_SLOT_BYPASS) != 0;
	reader->current = reader->view.generation;
	return MCR_OK;
}

/* Until when the steps of a plan made now may be sent; 0: no plan may be made. */
static __attribute__((noinline)) uint64_t lease_deadline_ns(const struct mcr_reader *reader)
{
	const uint64_t now_ns = mcr_clock_boot_ns();

	if (now_ns >= lease_load_acquire(reader->header))
		return 0;
	return now_ns + (uint64_t)reader->view.op_timeout_ms * 1000000u;
}

struct route {
	uint32_t old_owner, new_owner;
	uint64_t deadline_ns;
};

static inline bool key_has_prefix(const struct view *view, const void *key, size_t len)
{
	return len >= view->prefix_bytes && memcmp(key, view->prefix, view->prefix_bytes) == 0;
}

/* Both owners where at least one table is not of slots.  The call keeps it out of the way of those
 * that are. */
static __attribute__((noinline)) void tables_find(const struct view *view, const void *key,
						  size_t len, struct route *route)
{
	route->old_owner = mcr_table_owner(&view->old_table, key, len);
	route->new_owner = route->old_owner;
	if (view->phase != MCR_STEADY)
		route->new_owner = mcr_table_owner(&view->new_table, key, len);
}

static inline void slots_find(const struct view *view, uint64_t hash, struct route *route)
{
	route->old_owner = table_slot_owner(&view->old_table, hash);
	route->new_owner = route->old_owner;
	if (view->phase != MCR_STEADY)
		route->new_owner = table_slot_owner(&view->new_table, hash);
}

/* Finds both owners under the newest generation, which is reader->view afterwards.  Inlined: the
 * call would cost a fifth of the whole. */
static inline __attribute__((always_inline)) int
route_find(struct mcr_reader *reader, const void *key, size_t len, bool leased, struct route *route)
{
	const struct view *view;

	if (UNLIKELY(reader == NULL || key == NULL))
		return MCR_BAD_ARGUMENT;
	if (UNLIKELY(len == 0 || len > MCR_KEY_MAX))
		return MCR_BAD_KEY;
	view = &reader->view;
	for (int i = 0; i < READ_TRIES; i++) {
		uint32_t moved;
		bool exact = false;

		if (UNLIKELY(generation_load_acquire(reader->header) != reader->current)) {
			const int error = reader_refresh(reader);

			if (error != MCR_OK)
				return error;
		}
		if (UNLIKELY(view->prefix_bytes != 0) && !key_has_prefix(view, key, len))
			return MCR_NOT_COVERED;
		route->deadline_ns = 0;
		if (UNLIKELY(reader->clocked) && leased) {
			route->deadline_ns = lease_deadline_ns(reader);
			if (route->deadline_ns == 0)
				return MCR_ISOLATED;
			exact = true;
		}
		if (LIKELY(view->slots_alone))
			slots_find(view, mcr_hash(key, len), route);
		else
			tables_find(view, key, len, route);
		moved = generation_recheck_acquire(reader->header) - view->generation;
		/* Whoever saw the lease must also have the phase that came with it: a host that
		 * was cut off may have skipped phases before it was granted this one. */
		if (UNLIKELY(moved >= (exact ? 1u : MCR_SEGMENT_LIVE)))
			continue;
		if (UNLIKELY(route->old_owner >= view->server_count ||
			     route->new_owner >= view->server_count))
			return MCR_CORRUPT;
		return MCR_OK;
	}
	return MCR_STALE;
}

int mcr_begin(struct mcr_reader *reader, enum mcr_op op, const void *key, size_t len,
	      struct mcr_plan *plan)
{
	struct route route;
	int error;

	if (UNLIKELY((unsigned)op >= MCR_OP_COUNT || plan == NULL))
		return MCR_BAD_ARGUMENT;
	error = route_find(reader, key, len, true, &route);
	if (UNLIKELY(error != MCR_OK))
		return error;
	plan->generation = reader->view.generation;
	plan->deadline_ns = route.deadline_ns;
	plan_fill(reader->view.phase, op, route.old_owner, route.new_owner, plan);
	return MCR_OK;
}

int mcr_owner(struct mcr_reader *reader, const void *key, size_t len, uint32_t *old_owner,
	      uint32_t *new_owner)
{
	struct route route;
	int error;

	if (old_owner == NULL || new_owner == NULL)
		return MCR_BAD_ARGUMENT;
	error = route_find(reader, key, len, false, &route);
	if (error != MCR_OK)
		return error;
	*old_owner = route.old_owner;
	*new_owner = route.new_owner;
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

	if (UNLIKELY(reader == NULL || plan == NULL))
		return MCR_BAD_ARGUMENT;
	current = generation_load_acquire(reader->header);
	if (LIKELY(current == plan->generation && plan->deadline_ns == 0))
		return MCR_OK;
	if (plan_overrun(reader, plan, current))
		return MCR_REPEAT;
	return current == plan->generation ? MCR_OK : MCR_NEWER;
}
