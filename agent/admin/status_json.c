/* status_json.c - a status as JSON, for programs.  Names are those of the text, with '_' for '-'.
 */
#include <stddef.h>

#include "admin/status.h"

static void servers_json(const struct status *status, struct json *json)
{
	json_array_open(json, "servers");
	for (uint32_t i = 0; i < status->server_count; i++) {
		const struct status_server *server = &status->servers[i];

		json_object_open(json, NULL);
		json_string(json, "name", server->name);
		json_string(json, "address", server->address);
		json_string(json, "agent", server->agent);
		json_unsigned(json, "slots_old", server->old_slots);
		json_unsigned(json, "slots_new", server->new_slots);
		json_object_close(json);
	}
	json_array_close(json);
}

static void hosts_json(const struct status *status, struct json *json)
{
	json_array_open(json, "hosts");
	for (uint32_t i = 0; i < status->host_count; i++) {
		const struct status_host *host = &status->hosts[i];

		json_object_open(json, NULL);
		json_string(json, "name", host->name);
		json_signed(json, "lease_ms_left", host->lease_left_ms);
		json_unsigned(json, "adopted_term", host->term);
		json_unsigned(json, "adopted_serial", host->serial);
		json_string(json, "phase", host->phase);
		json_string(json, "work", host->work);
		json_unsigned(json, "found", host->found);
		json_unsigned(json, "moved", host->moved);
		json_unsigned(json, "present", host->present);
		json_unsigned(json, "gone", host->gone);
		json_unsigned(json, "failed", host->failed);
		json_unsigned(json, "left", host->left);
		json_unsigned(json, "rate", host->rate);
		json_string(json, "reason", host->reason);
		json_object_close(json);
	}
	json_array_close(json);
}

static void others_json(const struct status *status, struct json *json)
{
	json_array_open(json, "other");
	for (uint32_t i = 0; i < status->other_count; i++) {
		json_object_open(json, NULL);
		json_string(json, "name", status->others[i].name);
		json_string(json, "value", status->others[i].value);
		json_object_close(json);
	}
	json_array_close(json);
}

void status_json(const struct status *status, struct json *json)
{
	json_string(json, "view", status->cluster_view ? "cluster" : "local");
	json_string(json, "agent", status->agent);
	json_string(json, "version", status->version);
	json_string(json, "cluster", status->cluster);
	json_unsigned(json, "epoch", status->epoch);
	json_unsigned(json, "next_epoch", status->next_epoch);
	json_string(json, "phase", status->phase);
	json_bool(json, "settled", status->settled);
	json_unsigned(json, "term", status->term);
	json_unsigned(json, "serial", status->serial);
	json_string(json, "coordinator", status->coordinator);
	json_unsigned(json, "generation", status->generation);
	json_signed(json, "lease_ms_left", status->lease_left_ms);
	json_bool(json, "isolated", status->isolated);
	json_string(json, "reason", status->reason);
	json_string(json, "waits_for", status->waits_for);
	json_string(json, "trouble", status->trouble);
	json_unsigned(json, "change_epoch", status->change_epoch);
	json_unsigned(json, "change_slots", status->change_slots);
	json_unsigned(json, "change_slots_moved", status->change_slots_moved);
	json_unsigned(json, "change_keys_found", status->keys_found);
	json_unsigned(json, "change_keys_moved", status->keys_moved);
	json_unsigned(json, "change_keys_failed", status->keys_failed);
	json_unsigned(json, "change_keys_left", status->keys_left);
	json_unsigned(json, "change_rate", status->keys_rate);
	json_unsigned(json, "change_ms", status->change_ms);
	servers_json(status, json);
	hosts_json(status, json);
	others_json(status, json);
}
