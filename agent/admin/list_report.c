/* list_report.c - see list_report.h.  Reads lists, writes text; decides nothing. */
#include "admin/list_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/human.h"
#include "admin/table.h"
#include "list/change.h"

void list_report_distribution(const struct list *list, char text[DISTRIBUTION_TEXT_BYTES])
{
	distribution_print(list->distribution, list->key_hash, list->slot_count, text);
}

/* A settled list's servers have their own numbers in it. */
static void servers_fill(struct table *table, const struct list *list, const struct change *change)
{
	char percent[HUMAN_NUMBER_BYTES];

	for (uint32_t i = 0; i < list->server_count; i++) {
		const struct list_server *server = &list->servers[i];
		const uint64_t parts = change->servers[i].old_parts;

		table_cell(table, "%s", server->name);
		table_cell(table, "%s", server->address);
		table_cell(table, "%s", list->agents[server->agent].name);
		table_cell(table, "%" PRIu32, server->weight);
		if (change->in_slots)
			table_cell(table, "%" PRIu64, parts);
		table_cell(table, "%s", human_percent(parts, change->parts, percent));
	}
}

int list_report_servers(const struct list *list, FILE *out)
{
	static const char *const slots[] = {"server",  "address", "agent",
					    ">weight", ">slots",  ">share"};
	static const char *const keys[] = {"server", "address", "agent", ">weight", ">share"};
	struct change *change;
	struct table *table;
	int error = change_new(list, NULL, &change, NULL);

	if (error < 0)
		return error;
	table = change->in_slots ? table_new(slots, 6) : table_new(keys, 5);
	if (table != NULL) {
		servers_fill(table, list, change);
		error = table_print(table, "  ", out);
	} else {
		error = -ENOMEM;
	}
	for (uint32_t i = 0; error == 0 && i < list->server_count; i++)
		if (list->servers[i].has_wipe)
			(void)fprintf(out, "  %s: PREPARE may drop up to %" PRIu64 " items there\n",
				      list->servers[i].name, list->servers[i].wipe);
	change_free(change);
	table_free(table);
	return error;
}

int list_report_agents(const struct list *list, FILE *out)
{
	static const char *const headings[] = {"agent", "address", "key"};
	struct table *table = table_new(headings, 3);
	int error;

	if (table == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < list->agent_count; i++) {
		char key[DOCUMENT_KEY_CHARS + 1];

		document_key_print(list->agents[i].key, key);
		table_cell(table, "%s", list->agents[i].name);
		table_cell(table, "%s", list->agents[i].address);
		table_cell(table, "%s", key);
	}
	error = table_print(table, "  ", out);
	table_free(table);
	return error;
}

const char *list_report_isolation(const struct list *list)
{
	return list->isolation == LIST_ISOLATION_BYPASS ? "bypass" : "serve";
}

const char *list_report_registration(const struct list *list)
{
	return list->registration_required ? "required" : "optional";
}

void list_report_policy(const struct list *list, FILE *out)
{
	(void)fprintf(out,
		      "lease         %" PRIu32 " ms in a change, %" PRIu32 " ms while settled\n",
		      list->lease_ms, list->steady_lease_ms);
	(void)fprintf(out, "op-timeout    %" PRIu32 " ms\n", list->op_timeout_ms);
	(void)fprintf(out, "clients       registration %s, quorum %" PRIu32 " %%, isolation %s\n",
		      list_report_registration(list), list->client_quorum,
		      list_report_isolation(list));
	if (list->unaware_poll_ms > 0)
		(void)fprintf(
		    out,
		    "unaware       clients that know nothing of phases poll every %" PRIu32 " ms\n",
		    list->unaware_poll_ms);
	if (list->prefix[0] != '\0')
		(void)fprintf(out, "prefix        %s\n", list->prefix);
	(void)fprintf(out, "coordinator   %s", list->agents[list->coordinator].name);
	for (uint32_t i = 1; i < list->coordinator_count; i++)
		(void)fprintf(out, " or %s", list->agents[list->coordinators[i]].name);
	(void)fprintf(out, "%s\n", list->coordinator_count > 1 ? " (elected in etcd)" : "");
}

static void json_members(const struct list *list, const struct change *change, struct json *json)
{
	json_array_open(json, "coordinators");
	for (uint32_t i = 0; i < list->coordinator_count; i++)
		json_string(json, NULL, list->agents[list->coordinators[i]].name);
	json_array_close(json);
	json_array_open(json, "agents");
	for (uint32_t i = 0; i < list->agent_count; i++) {
		char key[DOCUMENT_KEY_CHARS + 1];

		document_key_print(list->agents[i].key, key);
		json_object_open(json, NULL);
		json_string(json, "name", list->agents[i].name);
		json_string(json, "address", list->agents[i].address);
		json_string(json, "key", key);
		json_object_close(json);
	}
	json_array_close(json);
	json_array_open(json, "servers");
	for (uint32_t i = 0; i < list->server_count; i++) {
		const struct list_server *server = &list->servers[i];

		json_object_open(json, NULL);
		json_string(json, "name", server->name);
		json_string(json, "address", server->address);
		json_unsigned(json, "weight", server->weight);
		json_string(json, "agent", list->agents[server->agent].name);
		if (server->label[0] != '\0')
			json_string(json, "label", server->label);
		if (change->in_slots)
			json_unsigned(json, "slots", change->servers[i].old_parts);
		json_decimal(json, "percent",
			     100.0 * (double)change->servers[i].old_parts / (double)change->parts);
		if (server->has_wipe)
			json_unsigned(json, "wipe", server->wipe);
		json_object_close(json);
	}
	json_array_close(json);
	json_array_open(json, "giveups");
	for (uint32_t i = 0; i < list->giveup_count; i++) {
		json_object_open(json, NULL);
		json_string(json, "name", list->giveups[i].name);
		json_string(json, "address", list->giveups[i].address);
		json_object_close(json);
	}
	json_array_close(json);
}

int list_report_json(const struct list *list, struct json *json)
{
	char distribution[DISTRIBUTION_TEXT_BYTES];
	struct change *change;
	int error = change_new(list, NULL, &change, NULL);

	if (error < 0)
		return error;
	list_report_distribution(list, distribution);
	json_string(json, "cluster", list->cluster);
	json_unsigned(json, "epoch", list->epoch);
	json_hex(json, "hash", list->hash, sizeof(list->hash));
	if (list->has_parent)
		json_hex(json, "parent", list->parent, sizeof(list->parent));
	else
		json_string(json, "parent", NULL);
	json_string(json, "created", list->created);
	json_string(json, "distribution", distribution);
	if (change->in_slots)
		json_unsigned(json, "slots", list->slot_count);
	json_unsigned(json, "lease_ms", list->lease_ms);
	json_unsigned(json, "steady_lease_ms", list->steady_lease_ms);
	json_unsigned(json, "op_timeout_ms", list->op_timeout_ms);
	json_unsigned(json, "client_quorum", list->client_quorum);
	json_string(json, "registration", list_report_registration(list));
	json_string(json, "isolation", list_report_isolation(list));
	json_bool(json, "unaware_clients", list->unaware_poll_ms > 0);
	json_unsigned(json, "unaware_poll_ms", list->unaware_poll_ms);
	json_string(json, "prefix", list->prefix);
	json_string(json, "coordinator", list->agents[list->coordinator].name);
	json_members(list, change, json);
	change_free(change);
	return 0;
}
