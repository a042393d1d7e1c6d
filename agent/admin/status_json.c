/* status_json.c - a status as JSON, for programs.  Names are those of the text, with '_' for '-'.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "admin/status.h"

static void server_work_json(const struct status_server *server, struct json *json)
{
	json_string(json, "phase", server->phase);
	json_string(json, "work", server->work);
	json_unsigned(json, "found", server->found);
	json_unsigned(json, "moved", server->moved);
	json_unsigned(json, "present", server->present);
	json_unsigned(json, "expired", server->expired);
	json_unsigned(json, "gone", server->gone);
	json_unsigned(json, "failed", server->failed);
	json_unsigned(json, "cold", server->cold);
	json_unsigned(json, "failed_refused", server->failed_refused);
	json_unsigned(json, "failed_both_sides", server->failed_both_sides);
	json_unsigned(json, "failed_too_often", server->failed_too_often);
	json_unsigned(json, "failed_late", server->failed_late);
	json_unsigned(json, "failed_given_up", server->failed_given_up);
	json_unsigned(json, "left", server->left);
	json_unsigned(json, "rate", server->rate);
	json_unsigned(json, "ms_left", server->ms_left);
}

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
		if (server->work[0] != '\0')
			server_work_json(server, json);
		json_unsigned(json, "owed", server->owed);
		json_unsigned(json, "owed_since", server->owed_since);
		json_unsigned(json, "asked_owed", server->asked_owed);
		json_unsigned(json, "asked_owed_since", server->asked_owed_since);
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
		json_unsigned(json, "expired", host->expired);
		json_unsigned(json, "gone", host->gone);
		json_unsigned(json, "failed", host->failed);
		json_unsigned(json, "cold", host->cold);
		json_unsigned(json, "left", host->left);
		json_unsigned(json, "rate", host->rate);
		json_unsigned(json, "clients_adopted", host->clients_adopted);
		json_unsigned(json, "clients_idle", host->clients_idle);
		json_unsigned(json, "clients_silent", host->clients_silent);
		json_unsigned(json, "clients_refused", host->clients_refused);
		json_unsigned(json, "clients_gone", host->clients_gone);
		json_string(json, "release", host->release);
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

static void hash_json(const char *name, const struct status_hash *hash, struct json *json)
{
	if (hash->there)
		json_hex(json, name, hash->bytes, sizeof(hash->bytes));
	else
		json_string(json, name, NULL);
}

static void names_json(const char *name, const char *names, struct json *json)
{
	json_array_open(json, name);
	while (names != NULL && *names != '\0') {
		const size_t length = strcspn(names, " ");
		char word[LIST_NAME_MAX + 1];

		(void)snprintf(word, sizeof(word), "%.*s", (int)length, names);
		json_string(json, NULL, word);
		names += length + (names[length] == ' ');
	}
	json_array_close(json);
}

static void trust_json(const struct status *status, struct json *json)
{
	const bool failover = status->failover_agent[0] != '\0';

	json_unsigned(json, "keys_version", status->keys_version);
	hash_json("keys_hash", &status->keys, json);
	json_unsigned(json, "equivocation", status->equivocation);
	json_array_open(json, "evidence");
	for (uint32_t i = 0; i < status->evidence_count; i++) {
		const struct status_evidence *evidence = &status->evidence[i];

		json_object_open(json, NULL);
		json_string(json, "kind", evidence->kind);
		json_unsigned(json, "number", evidence->number);
		json_hex(json, "hash", evidence->hash.bytes, sizeof(evidence->hash.bytes));
		json_string(json, "agent", evidence->asked ? status->asked : status->agent);
		json_object_close(json);
	}
	json_array_close(json);
	json_unsigned(json, "failover_term", status->failover_term);
	json_string(json, "failover_agent", failover ? status->failover_agent : NULL);
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
	json_unsigned(json, "change_keys_present", status->keys_present);
	json_unsigned(json, "change_keys_expired", status->keys_expired);
	json_unsigned(json, "change_keys_gone", status->keys_gone);
	json_unsigned(json, "change_keys_failed", status->keys_failed);
	json_unsigned(json, "change_keys_cold", status->keys_cold);
	json_unsigned(json, "change_keys_left", status->keys_left);
	json_unsigned(json, "change_rate", status->keys_rate);
	json_unsigned(json, "change_ms", status->change_ms);
	json_unsigned(json, "rate_keys", status->rate_keys);
	json_unsigned(json, "rate_bytes", status->rate_bytes);
	hash_json("active", &status->active, json);
	hash_json("pending", &status->pending, json);
	json_bool(json, "aborting", status->aborting);
	names_json("given_up", status->given_up, json);
	names_json("excused", status->excused, json);
	trust_json(status, json);
	json_unsigned(json, "owed", status->owed.keys);
	json_unsigned(json, "owed_bytes", status->owed.bytes);
	json_unsigned(json, "owed_max", status->owed.max);
	json_unsigned(json, "owed_refused", status->owed.refused);
	json_unsigned(json, "owed_since", status->owed.since);
	json_string(json, "owed_trouble", status->owed.trouble);
	json_string(json, "asked", status->asked);
	json_bool(json, "asked_isolated", status->asked_isolated);
	json_string(json, "asked_trouble", status->asked_trouble);
	json_unsigned(json, "asked_equivocation", status->asked_equivocation);
	json_unsigned(json, "asked_owed", status->asked_owed.keys);
	json_unsigned(json, "asked_owed_bytes", status->asked_owed.bytes);
	json_unsigned(json, "asked_owed_max", status->asked_owed.max);
	json_unsigned(json, "asked_owed_refused", status->asked_owed.refused);
	json_unsigned(json, "asked_owed_since", status->asked_owed.since);
	json_string(json, "asked_owed_trouble", status->asked_owed.trouble);
	servers_json(status, json);
	hosts_json(status, json);
	others_json(status, json);
}
