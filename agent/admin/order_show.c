/* order_show.c - see order_show.h.  Reads, writes text; decides nothing. */
#include "admin/order_show.h"

#include <inttypes.h>

#include "admin/human.h"

void order_show_text(const struct order *order, FILE *out)
{
	const struct order_binding *bound = &order->binding;
	char hash[2 * LIST_HASH_BYTES + 1], active[2 * LIST_HASH_BYTES + 1];
	char pending[2 * LIST_HASH_BYTES + 1] = "none";

	human_hex(order->hash, LIST_HASH_BYTES, hash);
	human_hex(bound->active, LIST_HASH_BYTES, active);
	if (bound->has_pending)
		human_hex(bound->pending, LIST_HASH_BYTES, pending);
	(void)fprintf(out, "cluster       %s\norder         %s\n", order->cluster,
		      order_kind_name(order->kind));
	for (uint32_t i = 0; i < order->target_count; i++)
		(void)fprintf(out, "%-14s%s at %s\n", i == 0 ? "for" : "", order->targets[i].name,
			      order->targets[i].address);
	if (order->kind == ORDER_FAILOVER)
		(void)fprintf(out,
			      "valid         for term %" PRIu64 ": the one after the register's\n",
			      bound->term);
	else
		(void)fprintf(out,
			      "valid         in term %" PRIu64 ", serial %" PRIu64
			      ", phase %s, and no longer\n",
			      bound->term, bound->serial, phase_name(bound->phase));
	(void)fprintf(out, "active list   %s\npending list  %s\n", active, pending);
	(void)fprintf(out, "created       %s\nhash          %s\n", order->created, hash);
}

void order_show_json(const struct order *order, struct json *json)
{
	const struct order_binding *bound = &order->binding;

	json_string(json, "cluster", order->cluster);
	json_string(json, "order", order_kind_name(order->kind));
	json_hex(json, "hash", order->hash, LIST_HASH_BYTES);
	json_string(json, "created", order->created);
	json_hex(json, "active", bound->active, LIST_HASH_BYTES);
	if (bound->has_pending)
		json_hex(json, "pending", bound->pending, LIST_HASH_BYTES);
	else
		json_string(json, "pending", NULL);
	json_unsigned(json, "term", bound->term);
	json_unsigned(json, "serial", bound->serial);
	json_string(json, "phase", bound->has_phase ? phase_name(bound->phase) : NULL);
	json_array_open(json, "targets");
	for (uint32_t i = 0; i < order->target_count; i++) {
		json_object_open(json, NULL);
		json_string(json, "name", order->targets[i].name);
		json_string(json, "address", order->targets[i].address);
		json_object_close(json);
	}
	json_array_close(json);
}
