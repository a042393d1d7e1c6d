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

static int points_judge(const struct mcr *mcr, const struct mcr_segment_table *table)
{
	if (table->count > MCR_SEGMENT_POINTS_MAX || table->bits < MCR_SEGMENT_BITS_MIN ||
	    table->bits > MCR_SEGMENT_INDEX_BITS_MAX)
		return MCR_CORRUPT;
	if (!lies_within(mcr, table->at, ((uint64_t)table->count + 1) * sizeof(uint64_t), 8) ||
	    !lies_within(mcr, table->index_at,
			 ((UINT64_C(1) << table->bits) + 1) * sizeof(uint32_t), 4))
		return MCR_CORRUPT;
	return MCR_OK;
}

static int owners_judge(const struct mcr *mcr, const struct mcr_segment_table *table)
{
	const bool slots = table->kind == MCR_TABLE_SLOTS;

	if (slots && (table->bits < MCR_SEGMENT_BITS_MIN || table->bits > MCR_SEGMENT_BITS_MAX ||
		      table->count != 1u << table->bits))
		return MCR_CORRUPT;
	if (!slots && table->count > MCR_SEGMENT_LIST_MAX)
		return MCR_CORRUPT;
	if (table->kind != MCR_TABLE_MODULO && table->hash != MCR_HASH_XXH3)
		return MCR_CORRUPT;
	return lies_within(mcr, table->at, table->count * (uint64_t)sizeof(uint16_t), 2)
		   ? MCR_OK
		   : MCR_CORRUPT;
}

/* A kind or a hash that is not known is a later agent's; what is wrong with a known one is damage.
 */
static int table_judge(const struct mcr *mcr, const struct mcr_segment_table *table)
{
	if (table->kind < MCR_TABLE_SLOTS || table->kind > MCR_TABLE_JUMP ||
	    table->hash < MCR_HASH_XXH3 || table->hash > MCR_HASH_LAST)
		return MCR_BAD_LAYOUT;
	if (table->count == 0)
		return MCR_CORRUPT;
	return table->kind == MCR_TABLE_RING ? points_judge(mcr, table) : owners_judge(mcr, table);
}

static void table_take(const uint8_t *slot, const struct mcr_segment_table *from, struct table *to)
{
	const void *at = slot + from->at;
	const bool ring = from->kind == MCR_TABLE_RING;

	to->kind = from->kind;
	to->hash = from->hash;
	to->count = from->count;
	to->bits = from->bits;
	to->owner = ring ? NULL : at;
	to->point = ring ? at : NULL;
	to->index = ring ? (const void *)(slot + from->index_at) : NULL;
}

static int slot_judge(const struct mcr *mcr, const struct mcr_segment_slot *slot,
		      uint32_t generation)
{
	int error;

	if (slot->generation != generation || slot->phase >= MCR_PHASE_COUNT)
		return MCR_CORRUPT;
	if (slot->op_timeout_ms == 0 || slot->op_timeout_ms > MCR_SEGMENT_TIMEOUT_MAX_MS)
		return MCR_CORRUPT;
	if (slot->prefix_bytes >= sizeof(slot->prefix))
		return MCR_CORRUPT;
	if (slot->server_count == 0 || slot->server_count > MCR_SEGMENT_SERVERS_MAX ||
	    slot->server_stride < sizeof(struct mcr_segment_server) || slot->server_stride % 8 != 0)
		return MCR_CORRUPT;
	if (!lies_within(mcr, slot->servers_at, (uint64_t)slot->server_count * slot->server_stride,
			 8))
		return MCR_CORRUPT;
	error = table_judge(mcr, &slot->old_table);
	return error != MCR_OK ? error : table_judge(mcr, &slot->new_table);
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
	view->server_count = slot.server_count;
	view->server_stride = slot.server_stride;
	view->prefix_bytes = slot.prefix_bytes;
	view->servers = address + slot.servers_at;
	table_take(address, &slot.old_table, &view->old_table);
	table_take(address, &slot.new_table, &view->new_table);
	view->slots_alone =
	    slot.old_table.kind == MCR_TABLE_SLOTS && slot.new_table.kind == MCR_TABLE_SLOTS;
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
