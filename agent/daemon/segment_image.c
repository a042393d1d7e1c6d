/* segment_image.c - see segment_image.h. */
#include "daemon/segment_image.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "hash.h"
#include "mcroster.h"

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
	if (change->slot_count > LIST_SLOTS_MAX)
		return failure_set(failure, E2BIG, "segment: %u slots, it holds %u",
				   change->slot_count, LIST_SLOTS_MAX);
	if (change->server_count == 0)
		return failure_set(failure, EINVAL, "segment: a list without servers");
	if (change->slot_count < 2 || (change->slot_count & (change->slot_count - 1)) != 0)
		return failure_set(failure, EINVAL, "segment: %u slots, want a power of two",
				   change->slot_count);
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

static int table_render(const struct change *change, const uint16_t *owners, uint16_t *table,
			struct failure *failure)
{
	for (uint32_t i = 0; i < change->slot_count; i++)
		if (owners[i] >= change->server_count)
			return failure_set(failure, EINVAL,
					   "segment: slot %u names server %u of %u", i, owners[i],
					   change->server_count);
	memcpy(table, owners, change->slot_count * sizeof(*table));
	return 0;
}

static uint32_t bits_of(uint32_t slot_count)
{
	return (uint32_t)__builtin_ctz(slot_count);
}

static void head_render(const struct segment_view *view, struct mcr_segment_slot *slot)
{
	const struct change *change = view->change;
	const uint32_t table_bytes = change->slot_count * (uint32_t)sizeof(uint16_t);
	const bool steady = view->phase == MCR_STEADY;

	slot->phase = view->phase;
	slot->flags = (view->bypass ? MCR_SLOT_BYPASS : 0u) |
		      (view->registration_required ? MCR_SLOT_REGISTRATION : 0u);
	slot->op_timeout_ms = change->op_timeout_ms;
	slot->distribution = MCR_DISTRIBUTION_SLOTS;
	slot->slot_bits = bits_of(change->slot_count);
	slot->server_count = change->server_count;
	slot->server_stride = sizeof(struct mcr_segment_server);
	slot->servers_at = sizeof(*slot);
	slot->old_at = slot->servers_at + slot->server_count * slot->server_stride;
	slot->new_at = slot->old_at + table_bytes;
	slot->used_bytes = slot->new_at + table_bytes;
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

int segment_image_render(const struct segment_view *view, struct mcr_segment_slot *image,
			 struct failure *failure)
{
	const struct change *change = view->change;
	const bool steady = view->phase == MCR_STEADY;
	const uint16_t *before, *after;
	uint8_t *bytes = (uint8_t *)image;
	int error;

	error = view_check(view, failure);
	if (error != 0)
		return error;
	memset(image, 0, SEGMENT_SLOT_BYTES);
	head_render(view, image);
	servers_render(change, (struct mcr_segment_server *)(void *)(bytes + image->servers_at));
	before = view->new_only ? change->new_owner : change->old_owner;
	after = steady ? before : change->new_owner;
	error = table_render(change, before, (uint16_t *)(void *)(bytes + image->old_at), failure);
	if (error == 0)
		error = table_render(change, after, (uint16_t *)(void *)(bytes + image->new_at),
				     failure);
	return error;
}
