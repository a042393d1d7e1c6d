/* status.c - see status.h.  The text is from an agent, whose word is checked like a stranger's:
 * every number is bounded, every string cleaned before it can reach a terminal. */
#include "admin/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "admin/human.h"

enum kind { KIND_TEXT, KIND_NUMBER, KIND_SIGNED, KIND_BOOL, KIND_HASH, KIND_NAMES };

struct field {
	const char *name;
	enum kind kind;
	size_t offset, size;
};

#define TEXT(name, member)                                                                         \
	{                                                                                          \
		name, KIND_TEXT, offsetof(struct status, member),                                  \
		    sizeof(((struct status *)0)->member)                                           \
	}
#define NUMBER(name, member)                                                                       \
	{                                                                                          \
		name, KIND_NUMBER, offsetof(struct status, member), 0                              \
	}
#define SIGNED(name, member)                                                                       \
	{                                                                                          \
		name, KIND_SIGNED, offsetof(struct status, member), 0                              \
	}
#define BOOL(name, member)                                                                         \
	{                                                                                          \
		name, KIND_BOOL, offsetof(struct status, member), 0                                \
	}
#define HASH(name, member)                                                                         \
	{                                                                                          \
		name, KIND_HASH, offsetof(struct status, member), 0                                \
	}
#define NAMES(name, member)                                                                        \
	{                                                                                          \
		name, KIND_NAMES, offsetof(struct status, member), 0                               \
	}

/* What one agent owes. */
#define OWED(prefix, member)                                                                       \
	NUMBER(prefix "owed", member.keys), NUMBER(prefix "owed-bytes", member.bytes),             \
	    NUMBER(prefix "owed-max", member.max), NUMBER(prefix "owed-refused", member.refused),  \
	    NUMBER(prefix "owed-since", member.since), TEXT(prefix "owed-trouble", member.trouble)

static const struct field fields[] = {
    TEXT("agent", agent),
    TEXT("version", version),
    TEXT("cluster", cluster),
    NUMBER("epoch", epoch),
    NUMBER("next-epoch", next_epoch),
    TEXT("phase", phase),
    BOOL("settled", settled),
    NUMBER("term", term),
    NUMBER("serial", serial),
    TEXT("coordinator", coordinator),
    NUMBER("generation", generation),
    SIGNED("lease-ms-left", lease_left_ms),
    BOOL("isolated", isolated),
    TEXT("reason", reason),
    TEXT("waits-for", waits_for),
    TEXT("trouble", trouble),
    NUMBER("change-epoch", change_epoch),
    NUMBER("change-slots", change_slots),
    NUMBER("change-slots-moved", change_slots_moved),
    NUMBER("change-keys-found", keys_found),
    NUMBER("change-keys-moved", keys_moved),
    NUMBER("change-keys-present", keys_present),
    NUMBER("change-keys-expired", keys_expired),
    NUMBER("change-keys-gone", keys_gone),
    NUMBER("change-keys-failed", keys_failed),
    NUMBER("change-keys-cold", keys_cold),
    NUMBER("change-keys-left", keys_left),
    NUMBER("change-rate", keys_rate),
    NUMBER("change-ms", change_ms),
    NUMBER("rate-keys", rate_keys),
    NUMBER("rate-bytes", rate_bytes),
    HASH("active", active),
    HASH("pending", pending),
    BOOL("aborting", aborting),
    NAMES("given-up", given_up),
    NAMES("excused", excused),
    NUMBER("keys-version", keys_version),
    HASH("keys-hash", keys),
    NUMBER("equivocation", equivocation),
    OWED("", owed),
    TEXT("asked", asked),
    BOOL("asked-isolated", asked_isolated),
    TEXT("asked-trouble", asked_trouble),
    NUMBER("asked-equivocation", asked_equivocation),
    OWED("asked-", asked_owed),
};

struct parser {
	struct status *status;
	uint32_t line;
	struct failure *failure;
};

static int refuse(const struct parser *parser, const char *name, const char *value)
{
	return failure_set(parser->failure, EBADMSG,
			   "the agent's status, line %" PRIu32
			   ": '%.40s %.80s' cannot be understood",
			   parser->line, name, value);
}

static bool signed_parse(const char *text, int64_t *value)
{
	uint64_t number;

	if (strcmp(text, "-1") == 0) {
		*value = -1;
		return true;
	}
	if (!human_number(text, 0, INT64_MAX, &number))
		return false;
	*value = (int64_t)number;
	return true;
}

static bool bool_parse(const char *text, bool *value)
{
	*value = strcmp(text, "yes") == 0;
	return *value || strcmp(text, "no") == 0;
}

/* 64 hex digits; "none" or nothing: there is no such document. */
static bool hash_parse(const char *text, struct status_hash *hash)
{
	size_t bytes = 0;
	const char *end = text;

	hash->there = false;
	if (*text == '\0' || strcmp(text, "none") == 0)
		return true;
	hash->there = sodium_hex2bin(hash->bytes, sizeof(hash->bytes), text, strlen(text), NULL,
				     &bytes, &end) == 0 &&
		      bytes == sizeof(hash->bytes) && *end == '\0';
	return hash->there;
}

static int no_memory(const struct parser *parser)
{
	return failure_set(parser->failure, ENOMEM, "no memory for the agent's status");
}

static int names_take(const struct parser *parser, char **names, const char *value)
{
	free(*names);
	*names = strdup(value);
	return *names == NULL ? no_memory(parser) : 0;
}

static int field_take(const struct parser *parser, const struct field *field, const char *value)
{
	char *at = (char *)parser->status + field->offset;
	bool good = true;

	switch (field->kind) {
	case KIND_TEXT:
		(void)snprintf(at, field->size, "%s", value);
		break;
	case KIND_NUMBER:
		good = human_number(value, 0, UINT64_MAX, (uint64_t *)(void *)at);
		break;
	case KIND_SIGNED:
		good = signed_parse(value, (int64_t *)(void *)at);
		break;
	case KIND_BOOL:
		good = bool_parse(value, (bool *)(void *)at);
		break;
	case KIND_HASH:
		good = hash_parse(value, (struct status_hash *)(void *)at);
		break;
	case KIND_NAMES:
		return names_take(parser, (char **)(void *)at, value);
	}
	return good ? 0 : refuse(parser, field->name, value);
}

/* The next word of *rest ("" at its end), which is cut off it. */
static char *word_take(char **rest)
{
	char *word = *rest, *space = strchr(word, ' ');

	if (space != NULL) {
		*space = '\0';
		*rest = space + 1;
	} else {
		*rest = word + strlen(word);
	}
	return word;
}

/* "a=b" with the name `name`?  Then its value. */
static const char *value_of(const char *word, const char *name)
{
	size_t length = strlen(name);

	return strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

/* "7<separator>8" */
static bool pair_parse(char *text, char separator, uint64_t *first, uint64_t *second)
{
	char *at = strchr(text, separator);
	bool good;

	if (at == NULL)
		return false;
	*at = '\0';
	good =
	    human_number(text, 0, UINT64_MAX, first) && human_number(at + 1, 0, UINT64_MAX, second);
	*at = separator;
	return good;
}

static void *array_grow(void *array, uint32_t count, size_t size)
{
	/* Doubling at powers of two keeps a long body from costing its square. */
	if (count != 0 && (count & (count - 1)) != 0)
		return array;
	return reallocarray(array, count == 0 ? 1 : (size_t)count * 2, size);
}

static bool server_work_take(struct status_server *server, const char *word)
{
	const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = {
	    {"found", &server->found},
	    {"moved", &server->moved},
	    {"present", &server->present},
	    {"expired", &server->expired},
	    {"gone", &server->gone},
	    {"failed", &server->failed},
	    {"cold", &server->cold},
	    {"failed-refused", &server->failed_refused},
	    {"failed-both-sides", &server->failed_both_sides},
	    {"failed-too-often", &server->failed_too_often},
	    {"failed-late", &server->failed_late},
	    {"failed-given-up", &server->failed_given_up},
	    {"left", &server->left},
	    {"rate", &server->rate},
	    {"ms-left", &server->ms_left},
	};
	const char *value;

	if ((value = value_of(word, "phase")) != NULL)
		(void)snprintf(server->phase, sizeof(server->phase), "%s", value);
	else if ((value = value_of(word, "work")) != NULL)
		(void)snprintf(server->work, sizeof(server->work), "%s", value);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if ((value = value_of(word, numbers[i].name)) != NULL)
			return human_number(value, 0, UINT64_MAX, numbers[i].value);
	return true; /* the others are looked at elsewhere, or of a later version */
}

static int server_take(const struct parser *parser, char *value)
{
	struct status *status = parser->status;
	struct status_server *grown =
	    array_grow(status->servers, status->server_count, sizeof(*grown));
	struct status_server *server;

	if (grown == NULL)
		return no_memory(parser);
	status->servers = grown;
	server = &grown[status->server_count++];
	memset(server, 0, sizeof(*server));
	(void)snprintf(server->name, sizeof(server->name), "%s", word_take(&value));
	(void)snprintf(server->address, sizeof(server->address), "%s", word_take(&value));
	while (*value != '\0') {
		char *word = word_take(&value);
		const char *agent = value_of(word, "agent"), *slots = value_of(word, "slots");
		const char *owed = value_of(word, "owed");
		const char *since = value_of(word, "owed-since");

		if (agent != NULL)
			(void)snprintf(server->agent, sizeof(server->agent), "%s", agent);
		if (!server_work_take(server, word))
			return refuse(parser, "server", word);
		if (slots != NULL &&
		    !pair_parse(word + (slots - word), '/', &server->old_slots, &server->new_slots))
			return refuse(parser, "server", word);
		if ((owed != NULL && !human_number(owed, 0, UINT64_MAX, &server->owed)) ||
		    (since != NULL && !human_number(since, 0, UINT64_MAX, &server->owed_since)))
			return refuse(parser, "server", word);
	}
	return 0;
}

/* "NAME owed=N owed-since=N", of a server whose line has been. */
static int asked_owes_take(const struct parser *parser, char *value)
{
	const char *name = word_take(&value);
	struct status_server *server = NULL;

	for (uint32_t i = 0; i < parser->status->server_count; i++)
		if (strcmp(parser->status->servers[i].name, name) == 0)
			server = &parser->status->servers[i];
	while (server != NULL && *value != '\0') {
		char *word = word_take(&value);
		const char *owed = value_of(word, "owed");
		const char *since = value_of(word, "owed-since");

		if ((owed != NULL && !human_number(owed, 0, UINT64_MAX, &server->asked_owed)) ||
		    (since != NULL &&
		     !human_number(since, 0, UINT64_MAX, &server->asked_owed_since)))
			return refuse(parser, "asked-owes", word);
	}
	return 0;
}

static bool host_number_take(struct status_host *host, const char *word)
{
	const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = {
	    {"found", &host->found},
	    {"moved", &host->moved},
	    {"present", &host->present},
	    {"expired", &host->expired},
	    {"gone", &host->gone},
	    {"failed", &host->failed},
	    {"cold", &host->cold},
	    {"left", &host->left},
	    {"rate", &host->rate},
	    {"clients-adopted", &host->clients_adopted},
	    {"clients-idle", &host->clients_idle},
	    {"clients-silent", &host->clients_silent},
	    {"clients-refused", &host->clients_refused},
	    {"clients-gone", &host->clients_gone},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *value = value_of(word, numbers[i].name);

		if (value != NULL)
			return human_number(value, 0, UINT64_MAX, numbers[i].value);
	}
	return true; /* a name of a later version */
}

static bool host_word_take(struct status_host *host, char *word)
{
	const char *value;

	if ((value = value_of(word, "lease-ms-left")) != NULL)
		return signed_parse(value, &host->lease_left_ms);
	if ((value = value_of(word, "adopted")) != NULL)
		return pair_parse(word + (value - word), '.', &host->term, &host->serial);
	if ((value = value_of(word, "release")) != NULL)
		(void)snprintf(host->release, sizeof(host->release), "%s", value);
	else if ((value = value_of(word, "phase")) != NULL)
		(void)snprintf(host->phase, sizeof(host->phase), "%s", value);
	else if ((value = value_of(word, "work")) != NULL)
		(void)snprintf(host->work, sizeof(host->work), "%s", value);
	else
		return host_number_take(host, word);
	return true;
}

static int host_take(const struct parser *parser, char *value)
{
	struct status *status = parser->status;
	struct status_host *grown = array_grow(status->hosts, status->host_count, sizeof(*grown));
	struct status_host *host;

	if (grown == NULL)
		return no_memory(parser);
	status->hosts = grown;
	host = &grown[status->host_count++];
	memset(host, 0, sizeof(*host));
	host->lease_left_ms = -1;
	(void)snprintf(host->name, sizeof(host->name), "%s", word_take(&value));
	while (*value != '\0') {
		const char *reason = value_of(value, "reason"); /* the rest of the line */
		char *word;

		if (reason != NULL) {
			(void)snprintf(host->reason, sizeof(host->reason), "%s", reason);
			break;
		}
		word = word_take(&value);
		if (!host_word_take(host, word))
			return refuse(parser, "host", word);
	}
	return 0;
}

static int other_take(const struct parser *parser, const char *name, const char *value)
{
	struct status *status = parser->status;
	struct status_other *grown =
	    array_grow(status->others, status->other_count, sizeof(*grown));
	struct status_other *other;

	if (grown == NULL)
		return no_memory(parser);
	status->others = grown;
	other = &grown[status->other_count++];
	other->name = strdup(name);
	other->value = strdup(value);
	return other->name == NULL || other->value == NULL ? no_memory(parser) : 0;
}

/* "KIND NUMBER HASH" */
static int evidence_take(const struct parser *parser, char *value, bool asked)
{
	struct status *status = parser->status;
	struct status_evidence *grown =
	    array_grow(status->evidence, status->evidence_count, sizeof(*grown));
	struct status_evidence *evidence;

	if (grown == NULL)
		return no_memory(parser);
	status->evidence = grown;
	evidence = &grown[status->evidence_count++];
	memset(evidence, 0, sizeof(*evidence));
	evidence->asked = asked;
	(void)snprintf(evidence->kind, sizeof(evidence->kind), "%s", word_take(&value));
	if (!human_number(word_take(&value), 0, UINT64_MAX, &evidence->number) ||
	    !hash_parse(value, &evidence->hash) || !evidence->hash.there)
		return refuse(parser, "evidence", value);
	return 0;
}

/* "TERM AGENT", or nothing. */
static int failover_take(const struct parser *parser, char *value)
{
	struct status *status = parser->status;
	char *rest = value;
	const char *term = word_take(&rest);

	if (*term == '\0' || strcmp(term, "none") == 0)
		return 0;
	if (!human_number(term, 1, UINT64_MAX, &status->failover_term) || *rest == '\0')
		return refuse(parser, "failover", term);
	(void)snprintf(status->failover_agent, sizeof(status->failover_agent), "%s", rest);
	return 0;
}

static int line_take(const struct parser *parser, char *line)
{
	char *value = line, *name = word_take(&value);

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(fields[i].name, name) == 0)
			return field_take(parser, &fields[i], value);
	if (strcmp(name, "server") == 0)
		return server_take(parser, value);
	if (strcmp(name, "host") == 0)
		return host_take(parser, value);
	if (strcmp(name, "evidence") == 0)
		return evidence_take(parser, value, false);
	if (strcmp(name, "asked-owes") == 0)
		return asked_owes_take(parser, value);
	if (strcmp(name, "asked-evidence") == 0)
		return evidence_take(parser, value, true);
	if (strcmp(name, "failover") == 0)
		return failover_take(parser, value);
	if (strcmp(name, "view") == 0) {
		parser->status->cluster_view = strcmp(value, "cluster") == 0;
		return 0;
	}
	return other_take(parser, name, value);
}

static int lines_take(struct parser *parser, char *text)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")) != NULL) {
		int error;

		parser->line++;
		if (*line == '\0')
			continue;
		error = line_take(parser, human_clean(line));
		if (error < 0)
			return error;
	}
	return 0;
}

int status_parse(const char *body, size_t body_bytes, struct status **status,
		 struct failure *failure)
{
	struct parser parser = {.failure = failure};
	struct status *made = calloc(1, sizeof(*made));
	char *text = malloc(body_bytes + 1);
	int error;

	parser.status = made;
	if (made == NULL || text == NULL) {
		error = no_memory(&parser);
		goto out;
	}
	made->lease_left_ms = -1;
	for (size_t i = 0; i < body_bytes; i++)
		text[i] = body[i] == '\0' ? '?' : body[i];
	text[body_bytes] = '\0';
	error = lines_take(&parser, text);
	if (error == 0) {
		*status = made;
		made = NULL;
	}
out:
	free(text);
	status_free(made);
	return error;
}

void status_free(struct status *status)
{
	if (status == NULL)
		return;
	for (uint32_t i = 0; i < status->other_count; i++) {
		free(status->others[i].name);
		free(status->others[i].value);
	}
	free(status->others);
	free(status->evidence);
	free(status->given_up);
	free(status->excused);
	free(status->servers);
	free(status->hosts);
	free(status);
}

bool status_names(const char *names, const char *name)
{
	const size_t length = strlen(name);

	while (names != NULL && *names != '\0') {
		const size_t word = strcspn(names, " ");

		if (word == length && memcmp(names, name, length) == 0)
			return true;
		names += word + (names[word] == ' ');
	}
	return false;
}

const struct status_host *status_host_find(const struct status *status, const char *name)
{
	for (uint32_t i = 0; i < status->host_count; i++)
		if (strcmp(status->hosts[i].name, name) == 0)
			return &status->hosts[i];
	return NULL;
}
