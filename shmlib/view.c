/* view.c - copies what one generation says out of its slot, and bounds it.
 *
 * The slot may be rewritten while it is read, and it may be hostile.  So everything is copied
 * first, then the generation is checked again (a copy that was overtaken is thrown away), and only
 * then are the values judged: what is out of bounds after that is damage, not a race.
 */
#include <string.h>

#include "atomics.h"
#include "internal.h"

static const uint8_t *slot_address(const struct mcr *mcr, uint32_t generation)
{
	const size_t turn = generation % MCR_SEGMENT_RING;

	return (const uint8_t *)mcr->header + mcr->header_bytes + turn * mcr->slot_bytes;
}

/* Do `bytes` from offset `at` lie behind the slot's head and within the slot? */
static bool lies_within(const struct mcr *mcr, uint32_t at, uint64_t bytes, uint32_t alignment)
{
	return at >= sizeof(struct mcr_segment_slot) && at % alignment == 0 &&
	       bytes <= mcr->slot_bytes && at <= mcr->slot_bytes - bytes;
}

static int slot_judge(const struct mcr *mcr, const struct mcr_segment_slot *slot,
		      uint32_t generation)
{
	if (slot->distribution != MCR_DISTRIBUTION_SLOTS)
		return MCR_BAD_LAYOUT;
	if (slot->generation != generation || slot->phase >= MCR_PHASE_COUNT)
		return MCR_CORRUPT;
	if (slot->op_timeout_ms == 0 || slot->op_timeout_ms > MCR_SEGMENT_TIMEOUT_MAX_MS)
		return MCR_CORRUPT;
	if (slot->slot_bits < MCR_SEGMENT_BITS_MIN || slot->slot_bits > MCR_SEGMENT_BITS_MAX)
		return MCR_CORRUPT;
	if (slot->prefix_bytes >= sizeof(slot->prefix))
		return MCR_CORRUPT;
	if (slot->server_count == 0 || slot->server_count > MCR_SEGMENT_SERVERS_MAX ||
	    slot->server_stride < sizeof(struct mcr_segment_server) || slot->server_stride % 8 != 0)
		return MCR_CORRUPT;
	if (!lies_within(mcr, slot->servers_at, (uint64_t)slot->server_count * slot->server_stride,
			 8) ||
	    !lies_within(mcr, slot->old_at, UINT64_C(2) << slot->slot_bits, 2) ||
	    !lies_within(mcr, slot->new_at, UINT64_C(2) << slot->slot_bits, 2))
		return MCR_CORRUPT;
	return MCR_OK;
}

int mcr_view_load(const struct mcr *mcr, uint32_t generation, struct view *view)
{
	const uint8_t *address = slot_address(mcr, generation);
	struct mcr_segment_slot slot;
	int error;

	words_load_relaxed(&slot, address, sizeof(slot));
	if (!generation_live(generation_recheck_acquire(mcr->header), generation))
		return MCR_STALE;
	error = slot_judge(mcr, &slot, generation);
	if (error != MCR_OK)
		return error;
	view->generation = generation;
	view->phase = slot.phase;
	view->flags = slot.flags;
	view->op_timeout_ms = slot.op_timeout_ms;
	view->slot_bits = slot.slot_bits;
	view->server_count = slot.server_count;
	view->server_stride = slot.server_stride;
	view->prefix_bytes = slot.prefix_bytes;
	view->servers = address + slot.servers_at;
	view->old_table = (const uint16_t *)(const void *)(address + slot.old_at);
	view->new_table = (const uint16_t *)(const void *)(address + slot.new_at);
	view->epoch = slot.epoch;
	view->next_epoch = slot.next_epoch;
	memcpy(view->list_hash, slot.list_hash, sizeof(view->list_hash));
	memcpy(view->next_hash, slot.next_hash, sizeof(view->next_hash));
	memcpy(view->prefix, slot.prefix, sizeof(view->prefix));
	return MCR_OK;
}

int mcr_view_newest(const struct mcr *mcr, struct view *view)
{
	for (int i = 0; i < READ_TRIES; i++) {
		const uint32_t generation = generation_load_acquire(mcr->header);
		int error;

		/* The word that says `moved` was stored before the generation that woke us. */
		if (u32_load_relaxed(&mcr->header->moved) != 0)
			return MCR_MOVED;
		if (generation == 0)
			return MCR_NOT_READY;
		error = mcr_view_load(mcr, generation, view);
		if (error != MCR_STALE)
			return error;
	}
	return MCR_STALE;
}

void mcr_view_server(const struct view *view, uint32_t server, struct mcr_server *out)
{
	struct mcr_segment_server record;

	words_load_relaxed(&record, view->servers + (size_t)server * view->server_stride,
			   sizeof(record));
	memcpy(out->name, record.name, sizeof(out->name));
	out->name[sizeof(out->name) - 1] = '\0';
	memcpy(out->address, record.address, sizeof(out->address));
	out->address[sizeof(out->address) - 1] = '\0';
	out->weight = record.weight;
	out->in_old = (record.flags & MCR_SERVER_OLD) != 0;
	out->in_new = (record.flags & MCR_SERVER_NEW) != 0;
	out->id = record.id;
}

_Static_assert(sizeof(((struct mcr_server *)0)->name) ==
		   sizeof(((struct mcr_segment_server *)0)->name),
	       "names are copied whole");
_Static_assert(sizeof(((struct mcr_server *)0)->address) ==
		   sizeof(((struct mcr_segment_server *)0)->address),
	       "addresses are copied whole");
