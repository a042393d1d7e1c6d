/* inspect.c - what the segment says of itself and of its servers, copied out by value.
 *
 * For connecting, for status and for tools; not made for every operation.
 */
#include <string.h>

#include "atomics.h"
#include "internal.h"

static void info_fill(const struct mcr *mcr, const struct view *view, struct mcr_info *info)
{
	const struct mcr_segment_turn *turn =
	    &mcr->header->turn[view->generation % MCR_SEGMENT_RING];

	memset(info, 0, sizeof(*info));
	info->generation = view->generation;
	info->phase = (uint8_t)view->phase;
	info->epoch = view->epoch;
	info->next_epoch = view->next_epoch;
	info->server_count = view->server_count;
	if (view->old_table.kind == MCR_TABLE_SLOTS)
		info->slot_count = view->old_table.count;
	info->op_timeout_ms = view->op_timeout_ms;
	info->heartbeat = u64_load_relaxed(&mcr->header->heartbeat);
	info->published_ns = u64_load_relaxed(&turn->published_ns);
	info->lease_deadline_ns = lease_load_acquire(mcr->header);
	info->bypass = (view->flags & MCR_SLOT_BYPASS) != 0;
	memcpy(info->list_hash, view->list_hash, sizeof(info->list_hash));
	memcpy(info->next_hash, view->next_hash, sizeof(info->next_hash));
}

int mcr_info(struct mcr *mcr, struct mcr_info *info)
{
	if (mcr == NULL || info == NULL)
		return MCR_BAD_ARGUMENT;
	if (mcr_replaced(mcr))
		return MCR_MOVED;
	for (int i = 0; i < READ_TRIES; i++) {
		struct mcr_info read;
		struct view view;
		const int error = mcr_view_newest(mcr, &view);

		if (error != MCR_OK)
			return error;
		info_fill(mcr, &view, &read);
		if (!generation_live(generation_recheck_acquire(mcr->header), view.generation))
			continue;
		*info = read;
		return MCR_OK;
	}
	return MCR_STALE;
}

int mcr_servers(struct mcr_reader *reader, struct mcr_info *info, struct mcr_server *out,
		uint32_t capacity)
{
	const struct mcr *mcr;

	if (reader == NULL || (out == NULL && capacity != 0))
		return MCR_BAD_ARGUMENT;
	mcr = reader->mcr;
	for (int i = 0; i < READ_TRIES; i++) {
		struct mcr_info read;
		struct view view;
		uint32_t copied;
		const int error = mcr_view_newest(mcr, &view);

		if (error != MCR_OK)
			return error;
		info_fill(mcr, &view, &read);
		copied = view.server_count < capacity ? view.server_count : capacity;
		for (uint32_t server = 0; server < copied; server++)
			mcr_view_server(&view, server, &out[server]);
		if (!generation_live(generation_recheck_acquire(mcr->header), view.generation))
			continue;
		if (info != NULL)
			*info = read;
		return (int)view.server_count;
	}
	return MCR_STALE;
}

int mcr_server(struct mcr_reader *reader, const struct mcr_plan *plan, uint32_t server,
	       struct mcr_server *out)
{
	struct mcr_server read;
	struct view view;
	int error;

	if (reader == NULL || out == NULL)
		return MCR_BAD_ARGUMENT;
	if (plan == NULL && reader->view.generation == 0)
		return MCR_NOT_READY;
	if (plan == NULL || reader->view.generation == plan->generation)
		view = reader->view;
	else if ((error = mcr_view_load(reader->mcr, plan->generation, &view)) != MCR_OK)
		return error;
	if (server >= view.server_count)
		return MCR_BAD_ARGUMENT;
	mcr_view_server(&view, server, &read);
	if (!generation_live(generation_recheck_acquire(reader->header), view.generation))
		return MCR_STALE;
	*out = read;
	return MCR_OK;
}
