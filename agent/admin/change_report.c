/* change_report.c - see change_report.h.  Reads lists, writes text; decides nothing. */
#include "admin/change_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/human.h"
#include "admin/list_report.h"
#include "admin/table.h"

double change_report_imbalance(const struct list *list)
{
	uint32_t *slots = calloc(list->server_count, sizeof(*slots));
	double weight = 0, worst = 0;

	for (uint32_t i = 0; slots != NULL && i < list->slot_count; i++)
		slots[list->slots[i]]++;
	for (uint32_t i = 0; i < list->server_count; i++)
		weight += list->servers[i].weight;
	for (uint32_t i = 0; slots != NULL && i < list->server_count; i++) {
		double share = (double)list->slot_count * list->servers[i].weight / weight;
		double off = share > slots[i] ? share - slots[i] : slots[i] - share;

		if (off > worst)
			worst = off;
	}
	free(slots);
	return worst;
}

static const char *server_fate(const struct change_server *server)
{
	if (!server->in_old)
		return "new";
	return server->in_new ? "" : "leaves";
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
		table_cell(table, "%" PRIu32, server->old_slots);
		table_cell(table, "%" PRIu32, server->new_slots);
		table_cell(table, "%s",
			   human_percent(server->new_slots, change->slot_count, percent));
		table_cell(table, "%s", server_fate(server));
	}
	error = table_print(table, "  ", out);
	table_free(table);
	return error;
}

/* Moved slots for each pair of servers, row by old owner; malloc'd. */
static uint32_t *pairs_count(const struct change *change)
{
	uint32_t *pairs =
	    calloc((size_t)change->server_count * change->server_count, sizeof(*pairs));

	for (uint32_t i = 0; pairs != NULL && i < change->slot_count; i++)
		if (change->old_owner[i] != change->new_owner[i])
			pairs[(size_t)change->old_owner[i] * change->server_count +
			      change->new_owner[i]]++;
	return pairs;
}

static int change_moves(const struct change *change, FILE *out)
{
	static const char *const headings[] = {"from", "to", ">slots", ">of all"};
	struct table *table = table_new(headings, 4);
	uint32_t *pairs = pairs_count(change);
	char percent[HUMAN_NUMBER_BYTES];
	int error = -ENOMEM;

	if (table != NULL && pairs != NULL) {
		for (uint32_t from = 0; from < change->server_count; from++) {
			for (uint32_t to = 0; to < change->server_count; to++) {
				uint32_t slots = pairs[(size_t)from * change->server_count + to];

				if (slots == 0)
					continue;
				table_cell(table, "%s", change->servers[from].name);
				table_cell(table, "%s", change->servers[to].name);
				table_cell(table, "%" PRIu32, slots);
				table_cell(table, "%s",
					   human_percent(slots, change->slot_count, percent));
			}
		}
		error = table_print(table, "  ", out);
	}
	free(pairs);
	table_free(table);
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

void change_report_policy(const struct list *from, const struct list *to, FILE *out)
{
	number_change("slots", from->slot_count, to->slot_count, out);
	number_change("lease", from->lease_ms, to->lease_ms, out);
	number_change("steady-lease", from->steady_lease_ms, to->steady_lease_ms, out);
	number_change("op-timeout", from->op_timeout_ms, to->op_timeout_ms, out);
	number_change("client-quorum", from->client_quorum, to->client_quorum, out);
	word_change("registration", list_report_registration(from), list_report_registration(to),
		    out);
	word_change("isolation", list_report_isolation(from), list_report_isolation(to), out);
	word_change("coordinator", from->agents[from->coordinator].name,
		    to->agents[to->coordinator].name, out);
	agents_change(from, to, out);
	servers_agent_change(from, to, out);
}
