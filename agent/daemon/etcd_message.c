/* etcd_message.c - see etcd_message.h: requests written, and what both directions share. */
#include "daemon/etcd_message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

void etcd_keys_make(struct etcd_keys *keys, const char *cluster)
{
	(void)snprintf(keys->leader, sizeof(keys->leader), ETCD_PREFIX "%s/leader", cluster);
	(void)snprintf(keys->reg, sizeof(keys->reg), ETCD_PREFIX "%s/register", cluster);
	(void)snprintf(keys->lists, sizeof(keys->lists), ETCD_PREFIX "%s/lists/", cluster);
	(void)snprintf(keys->keys, sizeof(keys->keys), ETCD_PREFIX "%s/keys/", cluster);
}

void etcd_body_key(const struct etcd_keys *keys, enum election_request request,
		   const uint8_t hash[LIST_HASH_BYTES], char key[ETCD_BODY_KEY_BYTES])
{
	const bool of_keys = request == ELECTION_KEYS_GET || request == ELECTION_KEYS_PUT;
	char hex[2 * LIST_HASH_BYTES + 1];

	(void)sodium_bin2hex(hex, sizeof(hex), hash, LIST_HASH_BYTES);
	(void)snprintf(key, ETCD_BODY_KEY_BYTES, "%s%s", of_keys ? keys->keys : keys->lists, hex);
}

/* Every json_ function below takes NULL for "no memory" and hands it on, so that the whole request
 * is looked at once, at its end. */
static json_t *json_base64(const void *bytes, size_t length)
{
	const int variant = sodium_base64_VARIANT_ORIGINAL;
	const size_t size = sodium_base64_encoded_len(length, variant);
	char *text = malloc(size);
	json_t *json;

	if (text == NULL)
		return NULL;
	json = json_string(sodium_bin2base64(text, size, bytes, length, variant));
	free(text);
	return json;
}

static json_t *json_key(const char *key)
{
	return json_base64(key, strlen(key));
}

static json_t *json_u64(uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	return json_string(text);
}

static json_t *json_range(const char *key)
{
	return json_pack("{s:{s:o}}", "request_range", "key", json_key(key));
}

static json_t *json_put(const char *key, const void *value, size_t bytes, uint64_t lease)
{
	json_t *put =
	    json_pack("{s:o,s:o}", "key", json_key(key), "value", json_base64(value, bytes));

	if (put != NULL && lease != 0 && json_object_set_new(put, "lease", json_u64(lease)) != 0) {
		json_decref(put);
		return NULL;
	}
	return json_pack("{s:o}", "request_put", put);
}

/* Compares a key's create revision, or its mod revision, with a number; 0: the key is absent. */
static json_t *json_compare(const char *key, bool create, uint64_t revision)
{
	return json_pack("{s:o,s:s,s:s,s:o}", "key", json_key(key), "target",
			 create ? "CREATE" : "MOD", "result", "EQUAL",
			 create ? "create_revision" : "mod_revision", json_u64(revision));
}

static json_t *json_drops(const struct etcd_keys *keys, const struct election_action *action,
			  json_t *success)
{
	char key[ETCD_BODY_KEY_BYTES];

	for (uint32_t i = 0; success != NULL && i < action->drop_count; i++) {
		json_t *drop;

		etcd_body_key(keys, action->request, action->drop[i], key);
		drop = json_pack("{s:{s:o}}", "request_delete_range", "key", json_key(key));
		if (json_array_append_new(success, drop) != 0) {
			json_decref(success);
			success = NULL;
		}
	}
	return success;
}

static json_t *json_txn(json_t *compare, json_t *success, json_t *failure)
{
	return json_pack("{s:o,s:o,s:o}", "compare", compare, "success", success, "failure",
			 failure);
}

static json_t *json_both(const struct etcd_keys *keys)
{
	return json_pack("[o,o]", json_range(keys->leader), json_range(keys->reg));
}

static json_t *json_request(const struct etcd_keys *keys, const struct election_action *action,
			    const char *name, const void *document, size_t bytes, const char **path)
{
	char key[ETCD_BODY_KEY_BYTES];

	*path = "/v3/kv/txn";
	switch (action->request) {
	case ELECTION_READ:
		return json_txn(json_array(), json_both(keys), json_array());
	case ELECTION_GRANT:
		*path = "/v3/lease/grant";
		return json_pack("{s:o}", "TTL", json_u64(action->ttl_s));
	case ELECTION_CAMPAIGN:
		return json_txn(json_pack("[o]", json_compare(keys->leader, true, 0)),
				json_pack("[o,o]",
					  json_put(keys->leader, name, strlen(name), action->lease),
					  json_range(keys->reg)),
				json_both(keys));
	case ELECTION_LIST_GET:
	case ELECTION_KEYS_GET:
		*path = "/v3/kv/range";
		etcd_body_key(keys, action->request, action->hash, key);
		return json_pack("{s:o}", "key", json_key(key));
	case ELECTION_LIST_PUT:
	case ELECTION_KEYS_PUT:
		etcd_body_key(keys, action->request, action->hash, key);
		return json_txn(
		    json_pack("[o]", json_compare(keys->leader, true, action->leader_revision)),
		    json_pack("[o]", json_put(key, document, bytes, 0)),
		    json_pack("[o]", json_range(keys->leader)));
	case ELECTION_STORE:
		return json_txn(
		    json_pack("[o,o]", json_compare(keys->leader, true, action->leader_revision),
			      json_compare(keys->reg, false, action->register_revision)),
		    json_drops(keys, action,
			       json_pack("[o]", json_put(keys->reg, action->value,
							 strlen(action->value), 0))),
		    json_both(keys));
	case ELECTION_REVOKE:
		*path = "/v3/lease/revoke";
		return json_pack("{s:o}", "ID", json_u64(action->lease));
	case ELECTION_KEEPALIVE:
		*path = "/v3/lease/keepalive";
		return json_pack("{s:o}", "ID", json_u64(action->lease));
	}
	return NULL;
}

int etcd_request_write(const struct etcd_keys *keys, const struct election_action *action,
		       const char *name, const void *document, size_t bytes, const char **path,
		       char **body)
{
	json_t *json = json_request(keys, action, name, document, bytes, path);

	*body = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return *body != NULL ? 0 : -ENOMEM;
}

int etcd_authenticate_write(const char *user, const char *password, const char **path, char **body)
{
	json_t *json = json_pack("{s:s,s:s}", "name", user, "password", password);

	*path = "/v3/auth/authenticate";
	*body = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return *body != NULL ? 0 : -ENOMEM;
}
