/* servers_ask.c - see servers_ask.h. */
#include "admin/servers_ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/stats_ask.h"

int servers_ask(struct forecast *forecast, const struct change *change, struct failure *failure)
{
	struct server_stats *stats = calloc((size_t)forecast->count + 1, sizeof(*stats));
	int error;

	if (stats == NULL)
		return failure_set(failure, ENOMEM, "no memory to ask the servers");
	for (uint32_t i = 0; i < forecast->count; i++)
		stats[i].address =
		    forecast->servers[i].concerned ? change->servers[i].address : NULL;
	error = stats_ask(stats, forecast->count, failure);
	for (uint32_t i = 0; error == 0 && i < forecast->count; i++) {
		struct forecast_server *server = &forecast->servers[i];

		server->asked = stats[i].answered;
		server->items = stats[i].items;
		server->bytes = stats[i].bytes;
		server->limit = stats[i].limit;
		(void)snprintf(server->why, sizeof(server->why), "%s", stats[i].why);
	}
	free(stats);
	return error;
}

int servers_ask_first(const struct list *list, struct first_held *held, struct failure *failure)
{
	struct server_stats *stats = calloc((size_t)list->server_count + 1, sizeof(*stats));
	int error;

	if (stats == NULL)
		return failure_set(failure, ENOMEM, "no memory to ask the servers");
	memset(held, 0, sizeof(*held));
	for (uint32_t i = 0; i < list->server_count; i++)
		stats[i].address = list->servers[i].address;
	error = stats_ask(stats, list->server_count, failure);
	for (uint32_t i = 0; error == 0 && i < list->server_count; i++) {
		held->keys += stats[i].items;
		held->holding += stats[i].items > 0;
		held->not_asked += !stats[i].answered;
	}
	free(stats);
	return error;
}
