/* forecast.c - see forecast.h. */
#include "admin/forecast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/room.h"
#include "list/overlap.h"

/* COPY brings the keys across, DRAIN goes over them once more. */
#define WALKS 2u

struct flow {
	struct forecast *forecast;
	uint64_t *parts; /* row by old owner */
};

struct forecast *forecast_new(const struct change *change)
{
	struct forecast *forecast = calloc(1, sizeof(*forecast));

	if (forecast == NULL)
		return NULL;
	forecast->servers = calloc(change->server_count, sizeof(*forecast->servers));
	if (forecast->servers == NULL) {
		free(forecast);
		return NULL;
	}
	forecast->count = change->server_count;
	for (uint32_t i = 0; i < forecast->count; i++)
		forecast->servers[i].concerned =
		    change->servers[i].lost > 0 || change->servers[i].gained > 0;
	return forecast;
}

void forecast_free(struct forecast *forecast)
{
	if (forecast == NULL)
		return;
	free(forecast->servers);
	free(forecast);
}

static void part_take(void *context, uint32_t from, uint32_t to, uint64_t parts)
{
	struct flow *flow = context;

	flow->parts[(size_t)from * flow->forecast->count + to] += parts;
}

static void leave(struct forecast *forecast, const uint64_t *row, uint32_t from)
{
	struct forecast_server *source = &forecast->servers[from];
	uint64_t all = 0;

	for (uint32_t to = 0; to < forecast->count; to++)
		all += row[to];
	for (uint32_t to = 0; to < forecast->count; to++) {
		uint64_t keys = room_share(source->items, row[to], all);
		uint64_t bytes = room_share(source->bytes, row[to], all);

		if (to == from)
			continue;
		source->keys_out += keys;
		source->bytes_out += bytes;
		forecast->servers[to].keys_in += keys;
		forecast->servers[to].bytes_in += bytes;
	}
	forecast->keys += source->keys_out;
	forecast->bytes += source->bytes_out;
}

/* What a server says is not to be trusted to make sense. */
static uint64_t takes_ms(uint64_t amount, uint64_t a_second)
{
	double ms = (double)amount * WALKS / (double)a_second * 1000;

	return ms < 1e18 ? (uint64_t)ms : UINT64_MAX;
}

static uint64_t longer(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Sources move at once; those of one host share its limits. */
static uint64_t source_ms(const struct forecast *forecast, const struct change *change,
			  uint32_t number)
{
	const struct forecast_server *source = &forecast->servers[number];
	const char *agent = change_server_agent(change, number);
	uint64_t keys = 0, bytes = 0, ms;

	ms = longer(takes_ms(source->keys_out, FORECAST_KEYS_A_SECOND),
		    takes_ms(source->bytes_out, FORECAST_BYTES_A_SECOND));
	for (uint32_t i = 0; i < forecast->count; i++) {
		if (strcmp(change_server_agent(change, i), agent) != 0)
			continue;
		keys += forecast->servers[i].keys_out;
		bytes += forecast->servers[i].bytes_out;
	}
	if (forecast->rate_keys != 0)
		ms = longer(ms, takes_ms(keys, forecast->rate_keys));
	if (forecast->rate_bytes != 0)
		ms = longer(ms, takes_ms(bytes, forecast->rate_bytes));
	return ms;
}

static void room_find(struct forecast_server *server)
{
	const struct room room = {.said = {.limit = server->limit, .held = server->bytes}};

	server->room = room_free(&room);
	server->too_small = server->bytes_in > server->room;
}

int forecast_make(struct forecast *forecast, const struct change *change, struct failure *failure)
{
	struct flow flow = {.forecast = forecast};
	uint64_t all;
	int error;

	flow.parts = calloc((size_t)forecast->count * forecast->count, sizeof(*flow.parts));
	if (flow.parts == NULL)
		return failure_set(failure, ENOMEM, "no memory for the forecast");
	error = overlap_count(&change->old_table, &change->new_table, forecast->count, part_take,
			      &flow, &all, failure);
	forecast->keys = forecast->bytes = forecast->ms = forecast->not_asked = 0;
	for (uint32_t i = 0; i < forecast->count; i++) {
		struct forecast_server *server = &forecast->servers[i];

		server->keys_out = server->keys_in = server->bytes_out = server->bytes_in = 0;
	}
	for (uint32_t i = 0; error == 0 && i < forecast->count; i++) {
		leave(forecast, flow.parts + (size_t)i * forecast->count, i);
		forecast->not_asked +=
		    forecast->servers[i].concerned && !forecast->servers[i].asked;
	}
	for (uint32_t i = 0; error == 0 && i < forecast->count; i++) {
		if (forecast->servers[i].keys_out > 0)
			forecast->ms = longer(forecast->ms, source_ms(forecast, change, i));
		room_find(&forecast->servers[i]);
	}
	free(flow.parts);
	return error;
}
