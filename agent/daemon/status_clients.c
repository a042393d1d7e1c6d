/* status_clients.c - see status_clients.h. */
#include "daemon/status_clients.h"

#include <inttypes.h>

/* The newest generation that it is known to use. */
static uint32_t generation_of(const struct clients_entry *client)
{
	return client->acknowledged > client->marks.used ? client->acknowledged
							 : client->marks.used;
}

static void client_line(FILE *out, const struct clients_entry *client,
			enum client_standing standing, uint64_t now_ms)
{
	fprintf(out, "client %" PRId32 " uid=%" PRIu32 " standing=%s generation=%" PRIu32,
		client->pid, client->uid, client_standing_name(standing), generation_of(client));
	fprintf(out, " age-ms=%" PRIu64 " reason=%" PRIu32 "\n",
		now_ms > client->since_ms ? now_ms - client->since_ms : 0,
		standing == CLIENT_REFUSED ? client->reason : 0);
}

void status_clients_lines(FILE *out, struct clients_run *run, uint64_t now_ms)
{
	static const enum client_standing order[] = {CLIENT_REFUSED, CLIENT_SILENT, CLIENT_GONE,
						     CLIENT_IDLE, CLIENT_ADOPTED};
	const struct clients *clients = clients_run_table(run);
	uint32_t listed = 0, left_out = 0;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		for (uint32_t n = 0; n < clients->used; n++) {
			if (!clients->client[n].used ||
			    client_standing(clients, n, now_ms) != order[i])
				continue;
			if (listed == STATUS_CLIENTS_MAX) {
				left_out++;
				continue;
			}
			client_line(out, &clients->client[n], order[i], now_ms);
			listed++;
		}
	fprintf(out, "clients-listed %" PRIu32 "\nclients-left-out %" PRIu32 "\n", listed,
		left_out);
}
