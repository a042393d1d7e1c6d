/* segment_image.c - see segment_image.h. */
#include "daemon/segment_image.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "list/routing.h"
#include "mcroster.h"

static int table_check(const struct table *table, uint32_t server_count, struct failure *failure)
{
	const bool ring = table->kind == MCR_TABLE_RING;
	const uint32_t max = table->kind == MCR_TABLE_SLOTS ? LIST_SLOTS_MAX
			     : ring			    ? MCR_SEGMENT_POINTS_MAX
							    : LIST_SERVERS_MAX;

	if (table->count == 0 || table->count > max)
		return failure_set(failure, E2BIG, "segment: a table of %u entries, it holds %u",
				   table->count, max);
	if (table->kind == MCR_TABLE_SLOTS &&
	    (table->count < 2 || (table->count & (table->count - 1)) != 0))
		return failure_set(failure, EINVAL, "segment: %u slots, want a power of two",
				   table->count);
	for (uint32_t i = 0; i < table->count; i++) {
		const uint32_t server = ring ? (uint32_t)table->point[i] : table->owner[i];

		if (server >= server_count)
			return failure_set(failure, EINVAL,
					   "segment: entry %u names server %u of %u", i, server,
					   server_count);
	}
	return 0;
}

static int view_check(const struct segment_view *view, struct failure *failure)
{
	const struct change *change = view->change;
	const bool under_way = change->new_epoch != 0;

	if (view->phase >= MCR_PHASE_COUNT)
		return failure_set(failure, EINVAL, "segment: phase %u is not one", view->phase);
	if (!under_way && (view->phase != MCR_STEADY || view->new_only))
		return failure_set(failure, EINVAL,
				   "segment: phase %s needs two lists, there is one",
				   mcr_phase_name(view->phase));
	if (view->new_only && view->phase != MCR_STEADY)
		return failure_set(failure, EINVAL, "segment: phase %s routes by both lists",
				   mcr_phase_name(view->phase));
	if (change->server_count > MCR_SEGMENT_SERVERS_MAX)
		return failure_set(failure, E2BIG, "segment: %u servers, it holds %u",
				   change->server_count, MCR_SEGMENT_SERVERS_MAX);
	if (change->server_count == 0)
		return failure_set(failure, EINVAL, "segment: a list without servers");
	if (change->op_timeout_ms == 0 || change->op_timeout_ms > MCR_SEGMENT_TIMEOUT_MAX_MS)
		return failure_set(failure, EINVAL, "segment: op-timeout %u ms, want 1 to %u",
				   change->op_timeout_ms, MCR_SEGMENT_TIMEOUT_MAX_MS);
	return 0;
}

static uint64_t server_id(const struct mcr_segment_server *server)
{
	uint8_t both[sizeof(server->name) + sizeof(server->address)];
	const size_t name_bytes = strlen((const char *)server->name) + 1;
	const size_t address_bytes = strlen((const char *)server->address);

	memcpy(both, server->name, name_bytes);
	memcpy(both + name_bytes, server->address, address_bytes);
	return mcr_hash(both, name_bytes + address_bytes);
}

static void servers_render(const struct change *change, struct mcr_segment_server *servers)
{
	for (uint32_t i = 0; i < change->server_count; i++) {
		const struct change_server *from = &change->servers[i];
		struct mcr_segment_server *to = &servers[i];

		memcpy(to->name, from->name, strnlen(from->name, LIST_NAME_MAX));
		memcpy(to->address, from->address, strnlen(from->address, LIST_ADDRESS_MAX));
		to->id = server_id(to);
		to->weight = from->weight;
		if (from->in_old)
			to->flags |= MCR_SERVER_OLD;
		if (from->in_new)
			to->flags |= MCR_SERVER_NEW;
		if (change->new_epoch == 0)
			to->flags = MCR_SERVER_OLD | MCR_SERVER_NEW;
	}
}

/* Room at the slot's end.  It cannot overflow: view_check and table_check bound all that is placed
 * (SEGMENT_SLOT_BYTES_MAX). */
static uint32_t place(struct mcr_segment_slot *slot, size_t bytes)
{
	const uint32_t at = slot->used_bytes;

	slot->used_bytes = (at + (uint32_t)bytes + 7) / 8 * 8;
	return at;
}

static void table_place(struct mcr_segment_slot *slot, const struct table *table,
			struct mcr_segment_table *to)
{
	to->kind = table->kind;
	to->hash = table->hash;
	to->count = table->count;
	to->bits = table->bits;
	to->at = place(slot, routing_bytes(table));
	if (table->index != NULL)
		to->index_at = place(slot, routing_index_bytes(table));
}

static void table_render(const struct table *table, const struct mcr_segment_table *place_of,
			 uint8_t *slot)
{
	memcpy(slot + place_of->at,
	       table->point != NULL ? (const void *)table->point : (const void *)table->owner,
	       routing_bytes(table));
	if (table->index != NULL)
		memcpy(slot + place_of->index_at, table->index, routing_index_bytes(table));
}

/* The table that routes before the change, or, once the new list is in force, that one's. */
static const struct table *view_before(const struct segment_view *view)
{
	return view->new_only ? &view->change->new_table : &view->change->old_table;
}

static void head_render(const struct segment_view *view, struct mcr_segment_slot *slot)
{
	const struct change *change = view->change;
	const bool steady = view->phase == MCR_STEADY;

	slot->phase = view->phase;
	slot->flags = (view->bypass ? MCR_SLOT_BYPASS : 0u) |
		      (view->registration_required ? MCR_SLOT_REGISTRATION : 0u);
	slot->op_timeout_ms = change->op_timeout_ms;
	slot->server_count = change->server_count;
	slot->server_stride = sizeof(struct mcr_segment_server);
	slot->used_bytes = sizeof(*slot);
	slot->servers_at = place(slot, (size_t)slot->server_count * slot->server_stride);
	table_place(slot, view_before(view), &slot->old_table);
	/* In STEADY one table does for both. */
	if (steady)
		slot->new_table = slot->old_table;
	else
		table_place(slot, &change->new_table, &slot->new_table);
	slot->prefix_bytes = (uint32_t)strnlen(change->prefix, LIST_PREFIX_MAX);
	memcpy(slot->prefix, change->prefix, slot->prefix_bytes);
	slot->epoch = view->new_only ? change->new_epoch : change->old_epoch;
	memcpy(slot->list_hash, view->new_only ? change->new_hash : change->old_hash,
	       sizeof(slot->list_hash));
	if (!steady) {
		slot->next_epoch = change->new_epoch;
		memcpy(slot->next_hash, change->new_hash, sizeof(slot->next_hash));
	}
}

_Static_assert(LIST_NAME_MAX + 1 == sizeof(((struct mcr_segment_server *)0)->name), "name");
_Static_assert(LIST_ADDRESS_MAX + 1 == sizeof(((struct mcr_segment_server *)0)->address),
	       "address");
_Static_assert(LIST_PREFIX_MAX + 1 == sizeof(((struct mcr_segment_slot *)0)->prefix), "prefix");
_Static_assert(LIST_HASH_BYTES == sizeof(((struct mcr_segment_slot *)0)->list_hash), "hash");

static int image_room(struct segment_image *image, size_t bytes, struct failure *failure)
{
	struct mcr_segment_slot *larger;

	if (bytes <= image->room)
		return 0;
	larger = realloc(image->slot, bytes);
	if (larger == NULL)
		return failure_set(failure, ENOMEM, "segment: no memory for a slot of %zu bytes",
				   bytes);
	image->slot = larger;
	image->room = bytes;
	return 0;
}

int segment_image_render(const struct segment_view *view, struct segment_image *image,
			 struct failure *failure)
{
	const struct change *change = view->change;
	const bool steady = view->phase == MCR_STEADY;
	struct mcr_segment_slot head = {0};
	uint8_t *bytes;
	int error;

	error = view_check(view, failure);
	if (error == 0)
		error = table_check(view_before(view), change->server_count, failure);
	if (error == 0 && !steady)
		error = table_check(&change->new_table, change->server_count, failure);
	if (error != 0)
		return error;
	head_render(view, &head);
	error = image_room(image, head.used_bytes, failure);
	if (error != 0)
		return error;
	bytes = (uint8_t *)image->slot;
	memset(bytes, 0, head.used_bytes);
	memcpy(bytes, &head, sizeof(head));
	servers_render(change, (struct mcr_segment_server *)(void *)(bytes + head.servers_at));
	table_render(view_before(view), &head.old_table, bytes);
	if (!steady)
		table_render(&change->new_table, &head.new_table, bytes);
	return 0;
}

void segment_image_clear(struct segment_image *image)
{
	free(image->slot);
	*image = (struct segment_image){0};
}
