/* change_report.c - see change_report.h.  Reads lists, writes text; decides nothing. */
#include "admin/change_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/human.h"
#include "admin/list_report.h"
#include "admin/table.h"
#include "list/overlap.h"

#define PAIRS_SHOWN_MAX 1000u

static const char *server_fate(const struct change_server *server)
{
	if (!server->in_old)
		return "new";
	return server->in_new ? "" : "leaves";
}

/* A number of slots, or where there are none the share. */
static void parts_cell(struct table *table, const struct change *change, uint64_t parts)
{
	char percent[HUMAN_NUMBER_BYTES];

	if (change->in_slots)
		table_cell(table, "%" PRIu64, parts);
	else
		table_cell(table, "%s", human_percent(parts, change->parts, percent));
}

static int change_servers(const struct change *change, FILE *out)
{
	static const char *const headings[] = {"server", "address", ">weight", ">before",
					       ">after", ">share",  ""};
	struct table *table = table_new(headings, 7);
	char percent[HUMAN_NUMBER_BYTES];
	int error;

	if (table == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < change->server_count; i++) {
		const struct change_server *server = &change->servers[i];

		table_cell(table, "%s", server->name);
		table_cell(table, "%s", server->address);
		table_cell(table, "%" PRIu32, server->weight);
		parts_cell(table, change, server->old_parts);
		parts_cell(table, change, server->new_parts);
		table_cell(table, "%s", human_percent(server->new_parts, change->parts, percent));
		table_cell(table, "%s", server_fate(server));
	}
	error = table_print(table, "  ", out);
	table_free(table);
	return error;
}

struct pairs {
	uint64_t *parts; /* row by old owner */
	uint32_t server_count, used;
};

static void pair_take(void *context, uint32_t from, uint32_t to, uint64_t parts)
{
	struct pairs *pairs = context;
	uint64_t *pair = &pairs->parts[(size_t)from * pairs->server_count + to];

	if (from == to)
		return;
	pairs->used += *pair == 0;
	*pair += parts;
}

/* A server that has another address is another one, under the same name. */
static void owner_cell(struct table *table, const struct change_server *server,
		       const struct change_server *other)
{
	const bool twins = strcmp(server->name, other->name) == 0;

	table_cell(table, "%s%s%s", server->name, twins ? " at " : "",
		   twins ? server->address : "");
}

static void pairs_fill(struct table *table, const struct change *change, const struct pairs *pairs,
		       uint64_t all)
{
	char percent[HUMAN_NUMBER_BYTES];

	for (uint32_t from = 0; from < change->server_count; from++)
		for (uint32_t to = 0; to < change->server_count; to++) {
			const uint64_t parts =
			    pairs->parts[(size_t)from * change->server_count + to];

			if (parts == 0)
				continue;
			owner_cell(table, &change->servers[from], &change->servers[to]);
			owner_cell(table, &change->servers[to], &change->servers[from]);
			if (change->in_slots)
				table_cell(table, "%" PRIu64, parts);
			table_cell(table, "%s", human_percent(parts, all, percent));
		}
}

/* The caller frees pairs->parts. */
static int pairs_count(const struct change *change, struct pairs *pairs, uint64_t *all)
{
	pairs->server_count = change->server_count;
	pairs->used = 0;
	pairs->parts =
	    calloc((size_t)change->server_count * change->server_count, sizeof(*pairs->parts));
	if (pairs->parts == NULL)
		return -ENOMEM;
	return overlap_count(&change->old_table, &change->new_table, change->server_count,
			     pair_take, pairs, all, NULL);
}

static int change_moves(const struct change *change, FILE *out)
{
	static const char *const slots[] = {"from", "to", ">slots", ">of all"};
	static const char *const keys[] = {"from", "to", ">of all"};
	struct table *table = change->in_slots ? table_new(slots, 4) : table_new(keys, 3);
	struct pairs pairs;
	uint64_t all = 0;
	int error = pairs_count(change, &pairs, &all);

	if (error == 0 && pairs.used > PAIRS_SHOWN_MAX) {
		(void)fprintf(out, "  between %" PRIu32 " pairs of servers, too many to show\n",
			      pairs.used);
	} else if (error == 0 && table != NULL) {
		pairs_fill(table, change, &pairs, all);
		error = table_print(table, "  ", out);
	} else if (error == 0) {
		error = -ENOMEM;
	}
	free(pairs.parts);
	table_free(table);
	return error;
}

int change_report_moves_json(const struct change *change, struct json *json)
{
	const uint32_t count = change->server_count;
	struct pairs pairs;
	uint64_t all = 0;
	int error = pairs_count(change, &pairs, &all);

	json_array_open(json, "moves");
	for (size_t i = 0; error == 0 && i < (size_t)count * count; i++) {
		if (pairs.parts[i] == 0)
			continue;
		json_object_open(json, NULL);
		json_string(json, "from", change->servers[i / count].name);
		json_string(json, "from_address", change->servers[i / count].address);
		json_string(json, "to", change->servers[i % count].name);
		json_string(json, "to_address", change->servers[i % count].address);
		if (change->in_slots)
			json_unsigned(json, "slots", pairs.parts[i]);
		json_thousandths(json, "percent", 100.0 * (double)pairs.parts[i] / (double)all);
		json_object_close(json);
	}
	json_array_close(json);
	free(pairs.parts);
	return error;
}

int change_report_moves(const struct change *change, FILE *out)
{
	int error = change_servers(change, out);

	if (error < 0 || change->moved == 0)
		return error;
	(void)fputc('\n', out);
	return change_moves(change, out);
}

static void number_change(const char *what, uint32_t from, uint32_t to, FILE *out)
{
	if (from != to)
		(void)fprintf(out, "%-12s  %" PRIu32 " -> %" PRIu32 "\n", what, from, to);
}

static void word_change(const char *what, const char *from, const char *to, FILE *out)
{
	if (strcmp(from, to) != 0)
		(void)fprintf(out, "%-12s  %s -> %s\n", what, from, to);
}

static void agents_change(const struct list *from, const struct list *to, FILE *out)
{
	for (uint32_t i = 0; i < to->agent_count; i++) {
		int at = list_agent_find(from, to->agents[i].name);

		if (at < 0)
			(void)fprintf(out, "agent         %s is new\n", to->agents[i].name);
		else if (memcmp(from->agents[at].key, to->agents[i].key, LIST_HOST_KEY_BYTES) != 0)
			(void)fprintf(out, "agent         %s has another key\n",
				      to->agents[i].name);
		if (at >= 0 && strcmp(from->agents[at].address, to->agents[i].address) != 0)
			(void)fprintf(out, "agent         %s: %s -> %s\n", to->agents[i].name,
				      from->agents[at].address, to->agents[i].address);
	}
	for (uint32_t i = 0; i < from->agent_count; i++)
		if (list_agent_find(to, from->agents[i].name) < 0)
			(void)fprintf(out, "agent         %s leaves\n", from->agents[i].name);
}

static void servers_agent_change(const struct list *from, const struct list *to, FILE *out)
{
	for (uint32_t i = 0; i < to->server_count; i++) {
		int at = list_server_find(from, to->servers[i].name);
		const char *before, *after = to->agents[to->servers[i].agent].name;

		if (at < 0)
			continue;
		before = from->agents[from->servers[at].agent].name;
		if (strcmp(before, after) != 0)
			(void)fprintf(out, "server        %s: agent %s -> %s\n",
				      to->servers[i].name, before, after);
	}
}

static void distribution_change(const struct list *from, const struct list *to, FILE *out)
{
	char before[DISTRIBUTION_TEXT_BYTES], after[DISTRIBUTION_TEXT_BYTES];

	list_report_distribution(from, before);
	list_report_distribution(to, after);
	if (from->distribution == DISTRIBUTION_SLOTS && to->distribution == DISTRIBUTION_SLOTS)
		number_change("slots", from->slot_count, to->slot_count, out);
	else
		word_change("distribution", before, after, out);
}

void change_report_policy(const struct list *from, const struct list *to, FILE *out)
{
	distribution_change(from, to, out);
	number_change("lease", from->lease_ms, to->lease_ms, out);
	number_change("steady-lease", from->steady_lease_ms, to->steady_lease_ms, out);
	number_change("op-timeout", from->op_timeout_ms, to->op_timeout_ms, out);
	number_change("client-quorum", from->client_quorum, to->client_quorum, out);
	word_change("registration", list_report_registration(from), list_report_registration(to),
		    out);
	word_change("isolation", list_report_isolation(from), list_report_isolation(to), out);
	word_change("unaware-clients", from->unaware_poll_ms > 0 ? "yes" : "no",
		    to->unaware_poll_ms > 0 ? "yes" : "no", out);
	if (from->unaware_poll_ms > 0 && to->unaware_poll_ms > 0)
		number_change("unaware-poll", from->unaware_poll_ms, to->unaware_poll_ms, out);
	word_change("coordinator", from->agents[from->coordinator].name,
		    to->agents[to->coordinator].name, out);
	agents_change(from, to, out);
	servers_agent_change(from, to, out);
}
