/* list_report.c - see list_report.h.  Reads lists, writes text; decides nothing. */
#include "admin/list_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/human.h"
#include "admin/table.h"

/* Slots per server, malloc'd; NULL when memory is out. */
static uint32_t *slots_count(const struct list *list)
{
	uint32_t *counts = calloc(list->server_count, sizeof(*counts));

	for (uint32_t i = 0; counts != NULL && i < list->slot_count; i++)
		counts[list->slots[i]]++;
	return counts;
}

int list_report_servers(const struct list *list, FILE *out)
{
	static const char *const headings[] = {"server",  "address", "agent",
					       ">weight", ">slots",  ">share"};
	struct table *table = table_new(headings, 6);
	uint32_t *slots = slots_count(list);
	char percent[HUMAN_NUMBER_BYTES];
	int error = -ENOMEM;

	if (table != NULL && slots != NULL) {
		for (uint32_t i = 0; i < list->server_count; i++) {
			const struct list_server *server = &list->servers[i];

			table_cell(table, "%s", server->name);
			table_cell(table, "%s", server->address);
			table_cell(table, "%s", list->agents[server->agent].name);
			table_cell(table, "%" PRIu32, server->weight);
			table_cell(table, "%" PRIu32, slots[i]);
			table_cell(table, "%s", human_percent(slots[i], list->slot_count, percent));
		}
		error = table_print(table, "  ", out);
	}
	for (uint32_t i = 0; error == 0 && i < list->server_count; i++)
		if (list->servers[i].has_wipe)
			(void)fprintf(out, "  %s: PREPARE may drop up to %" PRIu64 " items there\n",
				      list->servers[i].name, list->servers[i].wipe);
	free(slots);
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
	if (list->prefix[0] != '\0')
		(void)fprintf(out, "prefix        %s\n", list->prefix);
	(void)fprintf(out, "coordinator   %s", list->agents[list->coordinator].name);
	for (uint32_t i = 1; i < list->coordinator_count; i++)
		(void)fprintf(out, " or %s", list->agents[list->coordinators[i]].name);
	(void)fprintf(out, "%s\n", list->coordinator_count > 1 ? " (elected in etcd)" : "");
}

static void json_members(const struct list *list, const uint32_t *slots, struct json *json)
{
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
		json_unsigned(json, "slots", slots[i]);
		if (server->has_wipe)
			json_unsigned(json, "wipe", server->wipe);
		json_object_close(json);
	}
	json_array_close(json);
}

int list_report_json(const struct list *list, struct json *json)
{
	uint32_t *slots = slots_count(list);

	if (slots == NULL)
		return -ENOMEM;
	json_string(json, "cluster", list->cluster);
	json_unsigned(json, "epoch", list->epoch);
	json_hex(json, "hash", list->hash, sizeof(list->hash));
	if (list->has_parent)
		json_hex(json, "parent", list->parent, sizeof(list->parent));
	else
		json_string(json, "parent", NULL);
	json_string(json, "created", list->created);
	json_unsigned(json, "slots", list->slot_count);
	json_unsigned(json, "lease_ms", list->lease_ms);
	json_unsigned(json, "steady_lease_ms", list->steady_lease_ms);
	json_unsigned(json, "op_timeout_ms", list->op_timeout_ms);
	json_unsigned(json, "client_quorum", list->client_quorum);
	json_string(json, "registration", list_report_registration(list));
	json_string(json, "isolation", list_report_isolation(list));
	json_string(json, "prefix", list->prefix);
	json_string(json, "coordinator", list->agents[list->coordinator].name);
	json_members(list, slots, json);
	free(slots);
	return 0;
}
