/* forecast_report.c - see forecast_report.h. */
#include "admin/forecast_report.h"

#include <errno.h>
#include <inttypes.h>

#include "admin/human.h"
#include "admin/table.h"

static int servers_report(const struct forecast *forecast, const struct change *change, FILE *out)
{
	static const char *const headings[] = {"server", ">keys",  ">bytes", ">leave",
					       ">come",	 ">bytes", ">room"};
	struct table *table = table_new(headings, 7);
	char text[HUMAN_NUMBER_BYTES];
	int error;

	if (table == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < forecast->count; i++) {
		const struct forecast_server *server = &forecast->servers[i];

		if (!server->concerned || !server->asked)
			continue;
		table_cell(table, "%s", change->servers[i].name);
		table_cell(table, "%" PRIu64, server->items);
		table_cell(table, "%s", human_bytes(server->bytes, text));
		table_cell(table, "%" PRIu64, server->keys_out);
		table_cell(table, "%" PRIu64, server->keys_in);
		table_cell(table, "%s", human_bytes(server->bytes_in, text));
		table_cell(table, "%s",
			   server->room == UINT64_MAX ? "-" : human_bytes(server->room, text));
	}
	(void)fputc('\n', out);
	error = table_print(table, "  ", out);
	table_free(table);
	return error;
}

static void rates_report(const struct forecast *forecast, FILE *out)
{
	char text[HUMAN_NUMBER_BYTES];

	(void)fprintf(out, "  (COPY and DRAIN; ");
	if (forecast->rate_keys != 0)
		(void)fprintf(out, "at most %" PRIu64 " keys/s a host; ", forecast->rate_keys);
	if (forecast->rate_bytes != 0)
		(void)fprintf(out, "at most %s/s a host; ",
			      human_bytes(forecast->rate_bytes, text));
	(void)fprintf(out, "unpaced, a server is taken to send %u keys/s or %s/s)\n",
		      FORECAST_KEYS_A_SECOND, human_bytes(FORECAST_BYTES_A_SECOND, text));
}

static void shortage_report(const struct forecast *forecast, const struct change *change, FILE *out)
{
	char come[HUMAN_NUMBER_BYTES], room[HUMAN_NUMBER_BYTES];

	for (uint32_t i = 0; i < forecast->count; i++) {
		const struct forecast_server *server = &forecast->servers[i];

		if (server->concerned && server->asked && server->too_small)
			(void)fprintf(out,
				      "too small     %s: %s are to come and %s find room without "
				      "evicting; the hottest\n"
				      "              go there first, the coldest become misses\n",
				      change->servers[i].name, human_bytes(server->bytes_in, come),
				      human_bytes(server->room, room));
	}
	for (uint32_t i = 0; i < forecast->count; i++) {
		const struct forecast_server *server = &forecast->servers[i];

		if (server->concerned && !server->asked)
			(void)fprintf(out,
				      "not asked     %s %s: %s; what it holds is not "
				      "counted\n",
				      change->servers[i].name, change->servers[i].address,
				      server->why);
	}
}

int forecast_report(const struct forecast *forecast, const struct change *change, FILE *out)
{
	char bytes[HUMAN_NUMBER_BYTES], time[HUMAN_NUMBER_BYTES];
	int error = servers_report(forecast, change, out);

	(void)fprintf(out, "keys          about %" PRIu64 ", %s\n", forecast->keys,
		      human_bytes(forecast->bytes, bytes));
	if (forecast->ms < 1000)
		(void)fprintf(out, "takes         less than a second\n");
	else
		(void)fprintf(out, "takes         about %s\n", human_duration(forecast->ms, time));
	rates_report(forecast, out);
	shortage_report(forecast, change, out);
	return error;
}

static void server_json(const struct forecast_server *server, const struct change_server *named,
			struct json *json)
{
	json_object_open(json, NULL);
	json_string(json, "name", named->name);
	json_string(json, "address", named->address);
	json_bool(json, "asked", server->asked);
	json_string(json, "why_not", server->asked ? NULL : server->why);
	json_unsigned(json, "keys", server->items);
	json_unsigned(json, "bytes", server->bytes);
	json_unsigned(json, "limit_bytes", server->limit);
	json_unsigned(json, "keys_leave", server->keys_out);
	json_unsigned(json, "bytes_leave", server->bytes_out);
	json_unsigned(json, "keys_come", server->keys_in);
	json_unsigned(json, "bytes_come", server->bytes_in);
	if (server->room != UINT64_MAX)
		json_unsigned(json, "bytes_room", server->room);
	json_bool(json, "too_small", server->asked && server->too_small);
	json_object_close(json);
}

void forecast_json(const struct forecast *forecast, const struct change *change, struct json *json)
{
	json_unsigned(json, "keys", forecast->keys);
	json_unsigned(json, "bytes", forecast->bytes);
	json_decimal(json, "minutes", (double)forecast->ms / 60000);
	json_unsigned(json, "ms", forecast->ms);
	json_unsigned(json, "rate_keys", forecast->rate_keys);
	json_unsigned(json, "rate_bytes", forecast->rate_bytes);
	json_unsigned(json, "unpaced_keys", FORECAST_KEYS_A_SECOND);
	json_unsigned(json, "unpaced_bytes", FORECAST_BYTES_A_SECOND);
	json_unsigned(json, "not_asked", forecast->not_asked);
	json_array_open(json, "servers");
	for (uint32_t i = 0; i < forecast->count; i++)
		if (forecast->servers[i].concerned)
			server_json(&forecast->servers[i], &change->servers[i], json);
	json_array_close(json);
}
