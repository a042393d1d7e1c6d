/* etcd_answer.c - see etcd_message.h: answers read, each hostile until checked.
 *
 * What etcd says it refused was not carried out, by the meaning of its error codes; whatever else
 * is no plain answer (a gateway's page, a cut-off reply, an internal error) leaves the outcome
 * unknown.
 */
#include "daemon/etcd_message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

/* gRPC's codes of requests that were turned away. */
enum grpc_code {
	GRPC_INVALID_ARGUMENT = 3,
	GRPC_NOT_FOUND = 5,
	GRPC_PERMISSION_DENIED = 7,
	GRPC_RESOURCE_EXHAUSTED = 8,
	GRPC_FAILED_PRECONDITION = 9,
	GRPC_OUT_OF_RANGE = 11,
	GRPC_UNIMPLEMENTED = 12,
	GRPC_UNAUTHENTICATED = 16
};

static bool code_refuses(json_int_t code)
{
	return code == GRPC_INVALID_ARGUMENT || code == GRPC_NOT_FOUND ||
	       code == GRPC_PERMISSION_DENIED || code == GRPC_RESOURCE_EXHAUSTED ||
	       code == GRPC_FAILED_PRECONDITION || code == GRPC_OUT_OF_RANGE ||
	       code == GRPC_UNIMPLEMENTED || code == GRPC_UNAUTHENTICATED;
}

/* The other side's words on our terminal: printable ASCII, and not too many. */
static void words_copy(char *out, size_t out_bytes, const char *words)
{
	size_t i = 0;

	for (; i + 1 < out_bytes && i < 200 && words[i] != '\0'; i++)
		out[i] = words[i] >= 0x20 && words[i] < 0x7f ? words[i] : '?';
	out[i] = '\0';
}

/* ---- fields; absent is zero, anything else than the type is bad ---- */

static uint64_t number_of(const json_t *object, const char *name, bool *bad)
{
	const json_t *json = json_object_get(object, name);
	const char *text = json_string_value(json);
	size_t length = text != NULL ? json_string_length(json) : 0;

	if (json == NULL)
		return 0;
	if (json_is_integer(json) && json_integer_value(json) >= 0)
		return (uint64_t)json_integer_value(json);
	/* Up to 20 digits: cluster ids use all 64 bits. */
	if (length > 0 && length <= 20 && strspn(text, "0123456789") == length) {
		uint64_t number;

		errno = 0;
		number = strtoull(text, NULL, 10);
		if (errno == 0)
			return number;
	}
	*bad = true;
	return 0;
}

/* Decodes a field of base64; *bytes is malloc'd with one NUL behind it, also when it is empty. */
static size_t base64_of(const json_t *object, const char *name, uint8_t **bytes, bool *bad)
{
	const json_t *json = json_object_get(object, name);
	const char *text = json_string_value(json);
	const size_t length = text != NULL ? json_string_length(json) : 0;
	size_t decoded = 0;

	*bytes = calloc(1, length / 4 * 3 + 1);
	if (*bytes == NULL || (json != NULL && text == NULL) ||
	    (length > 0 && sodium_base642bin(*bytes, length / 4 * 3 + 1, text, length, NULL,
					     &decoded, NULL, sodium_base64_VARIANT_ORIGINAL) != 0))
		*bad = true;
	return *bad ? 0 : decoded;
}

static bool key_is(const json_t *kv, const char *key)
{
	uint8_t *bytes;
	bool bad = false;
	size_t length = base64_of(kv, "key", &bytes, &bad);

	bad = bad || length != strlen(key) || memcmp(bytes, key, length) != 0;
	free(bytes);
	return !bad;
}

/* A range of one key: none or one pair, and it must be of that key. */
static void range_read(const json_t *range, const char *key, struct election_key *out,
		       uint8_t **value, bool *bad)
{
	const json_t *kvs = json_object_get(range, "kvs");
	const json_t *kv = json_array_get(kvs, 0);

	memset(out, 0, sizeof(*out));
	if (!json_is_object(range) || (kvs != NULL && !json_is_array(kvs)) ||
	    json_array_size(kvs) > 1 || (kv != NULL && (!json_is_object(kv) || !key_is(kv, key))))
		*bad = true;
	if (kv == NULL || *bad)
		return;
	out->held = true;
	out->create_revision = number_of(kv, "create_revision", bad);
	out->mod_revision = number_of(kv, "mod_revision", bad);
	out->lease = number_of(kv, "lease", bad);
	out->bytes = base64_of(kv, "value", value, bad);
	out->value = (const char *)*value;
	if (out->create_revision == 0 || out->mod_revision < out->create_revision)
		*bad = true;
}

/* ---- one function for each kind of answer; false: it is none ---- */

static bool txn_read(const struct etcd_keys *keys, const struct election_action *action,
		     const json_t *root, struct etcd_answer *answer)
{
	struct election_reply *reply = &answer->reply;
	const json_t *succeeded = json_object_get(root, "succeeded");
	const json_t *responses = json_object_get(root, "responses");
	const enum election_request request = action->request;
	size_t expected, leader_at = SIZE_MAX, reg_at = SIZE_MAX;
	bool bad = false;

	if ((succeeded != NULL && !json_is_boolean(succeeded)) ||
	    (responses != NULL && !json_is_array(responses)))
		return false;
	reply->succeeded = json_is_true(succeeded);
	if (request == ELECTION_LIST_PUT || request == ELECTION_KEYS_PUT) {
		expected = 1;
		leader_at = reply->succeeded ? SIZE_MAX : 0;
	} else if (request == ELECTION_STORE && reply->succeeded) {
		expected = 1 + action->drop_count;
	} else {
		expected = 2;
		leader_at = request == ELECTION_CAMPAIGN && reply->succeeded ? SIZE_MAX : 0;
		reg_at = 1;
	}
	if (json_array_size(responses) != expected ||
	    (request == ELECTION_READ && !reply->succeeded))
		return false;
	if (leader_at != SIZE_MAX)
		range_read(json_object_get(json_array_get(responses, leader_at), "response_range"),
			   keys->leader, &reply->leader, &answer->value[0], &bad);
	if (reg_at != SIZE_MAX)
		range_read(json_object_get(json_array_get(responses, reg_at), "response_range"),
			   keys->reg, &reply->reg, &answer->value[1], &bad);
	return !bad && reply->revision != 0;
}

static bool document_read(const struct etcd_keys *keys, const struct election_action *action,
			  const json_t *root, struct etcd_answer *answer)
{
	char key[ETCD_BODY_KEY_BYTES];
	struct election_key found;
	bool bad = false;

	etcd_body_key(keys, action->request, action->hash, key);
	range_read(root, key, &found, &answer->document, &bad);
	answer->document_bytes = found.held ? found.bytes : 0;
	if (bad || !found.held) {
		free(answer->document);
		answer->document = NULL;
	}
	return !bad;
}

static bool lease_read(const struct election_action *action, const json_t *root,
		       struct etcd_answer *answer)
{
	bool bad = false;
	const uint64_t lease = number_of(root, "ID", &bad), ttl_s = number_of(root, "TTL", &bad);

	if (bad || lease == 0 || ttl_s > UINT32_MAX ||
	    (action->request == ELECTION_KEEPALIVE && lease != action->lease))
		return false;
	answer->reply.lease = lease;
	answer->reply.ttl_s = (uint32_t)ttl_s;
	return true;
}

static bool body_read(const struct etcd_keys *keys, const struct election_action *action,
		      const json_t *root, struct etcd_answer *answer)
{
	const bool keepalive = action->request == ELECTION_KEEPALIVE;
	const json_t *body = keepalive ? json_object_get(root, "result") : root;
	const json_t *header = json_object_get(body, "header");
	bool bad = false;

	if (!json_is_object(body) || !json_is_object(header))
		return false;
	answer->cluster_id = number_of(header, "cluster_id", &bad);
	answer->reply.revision = number_of(header, "revision", &bad);
	if (bad || answer->cluster_id == 0)
		return false;
	switch (action->request) {
	case ELECTION_GRANT:
	case ELECTION_KEEPALIVE:
		return lease_read(action, body, answer);
	case ELECTION_REVOKE:
		return true;
	case ELECTION_LIST_GET:
	case ELECTION_KEYS_GET:
		return document_read(keys, action, body, answer);
	case ELECTION_READ:
	case ELECTION_CAMPAIGN:
	case ELECTION_LIST_PUT:
	case ELECTION_KEYS_PUT:
	case ELECTION_STORE:
		break;
	}
	return txn_read(keys, action, body, answer);
}

/* ---- errors ---- */

struct error_words {
	json_int_t code;
	char words[256];
};

/* {"error": "...", "code": n}, or from a stream {"error": {"grpc_code": n, "message": "..."}}. */
static bool error_read(const json_t *root, struct error_words *error)
{
	const json_t *what = json_object_get(root, "error"), *code = json_object_get(root, "code");
	const char *words = json_string_value(what);

	if (json_is_object(what)) {
		code = json_object_get(what, "grpc_code");
		words = json_string_value(json_object_get(what, "message"));
	}
	if (words == NULL || !json_is_integer(code))
		return false;
	error->code = json_integer_value(code);
	words_copy(error->words, sizeof(error->words), words);
	return true;
}

static bool says(const char *text, size_t bytes, const char *words)
{
	return memmem(text, bytes, words, strlen(words)) != NULL;
}

static enum election_outcome no_answer(const char *endpoint, long status, const char *text,
				       size_t bytes, const json_t *root, char why[FAILURE_BYTES])
{
	struct error_words error;

	if (error_read(root, &error)) {
		(void)snprintf(why, FAILURE_BYTES, "etcd %s: %s", endpoint, error.words);
		return code_refuses(error.code) ? ELECTION_REFUSED : ELECTION_UNKNOWN;
	}
	if (status == 404) {
		(void)snprintf(why, FAILURE_BYTES,
			       "etcd %s: found no /v3 there, expected etcd 3.4 or later with its "
			       "JSON gateway",
			       endpoint);
		return ELECTION_REFUSED;
	}
	/* With its authentication on, etcd takes nothing through the gateway from such a client. */
	if (status == 400 && says(text, bytes, "CommonName of client")) {
		(void)snprintf(why, FAILURE_BYTES,
			       "etcd %s: found a client certificate with a common name and a user, "
			       "expected one without: etcd takes either, not both",
			       endpoint);
		return ELECTION_REFUSED;
	}
	(void)snprintf(why, FAILURE_BYTES,
		       "etcd %s: found an answer that is none of etcd's (HTTP %ld)", endpoint,
		       status);
	return ELECTION_UNKNOWN;
}

void etcd_answer_read(const struct etcd_keys *keys, const struct election_action *action,
		      const char *endpoint, long status, const char *text, size_t bytes,
		      struct etcd_answer *answer)
{
	json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);

	memset(answer, 0, sizeof(*answer));
	answer->reply.request = action->request;
	answer->reply.why = "";
	if (status != 200 || !body_read(keys, action, root, answer)) {
		etcd_answer_free(answer);
		memset(answer, 0, sizeof(*answer));
		answer->reply.request = action->request;
		answer->reply.outcome = no_answer(endpoint, status, text, bytes, root, answer->why);
		answer->reply.why = answer->why;
	}
	json_decref(root);
}

void etcd_answer_free(struct etcd_answer *answer)
{
	for (unsigned i = 0; i < ELECTION_LISTS; i++)
		free(answer->value[i]);
	free(answer->document);
}

/* ---- authentication ---- */

enum etcd_token etcd_token_read(const char *endpoint, long status, const char *text, size_t bytes,
				char token[ETCD_TOKEN_BYTES], struct failure *failure)
{
	json_t *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
	const json_t *given = json_object_get(root, "token");
	enum etcd_token verdict = ETCD_TOKEN_GIVEN;
	size_t length = json_string_length(given);
	struct error_words error;
	char why[FAILURE_BYTES];
	bool good = status == 200 && length > 0 && length < ETCD_TOKEN_BYTES;

	/* It goes into a header line: nothing but what a token is made of. */
	for (size_t i = 0; good && i < length; i++)
		good = json_string_value(given)[i] > 0x20 && json_string_value(given)[i] < 0x7f;
	if (good) {
		memcpy(token, json_string_value(given), length + 1);
	} else if (error_read(root, &error) && error.code == GRPC_FAILED_PRECONDITION) {
		token[0] = '\0';
		verdict = ETCD_TOKEN_NEEDLESS;
	} else {
		verdict = no_answer(endpoint, status, text, bytes, root, why) == ELECTION_REFUSED
			      ? ETCD_TOKEN_REFUSED
			      : ETCD_TOKEN_UNKNOWN;
		(void)failure_set(failure, EACCES, "%s", why);
	}
	json_decref(root);
	return verdict;
}

bool etcd_answer_wants_token(long status, const char *text, size_t bytes)
{
	/* The last two: the users or roles were changed since the token was given; authentication
	 * was switched on since. */
	static const char *const words[] = {"invalid auth token", "auth store is old",
					    "revision in header is old", "user name is empty"};

	if (status == 401)
		return true;
	for (size_t i = 0; status >= 400 && i < sizeof(words) / sizeof(*words); i++)
		if (says(text, bytes, words[i]))
			return true;
	return false;
}
