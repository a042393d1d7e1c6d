/* status_fields.c - see status_parser.h: the items of a status that are there once, by one table.
 */
#include "admin/status_parser.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool bool_parse(const char *text, bool *value)
{
	*value = strcmp(text, "yes") == 0;
	return *value || strcmp(text, "no") == 0;
}

static int names_take(const struct status_parser *parser, char **names, const char *value)
{
	free(*names);
	*names = strdup(value);
	return *names == NULL ? status_no_memory(parser) : 0;
}

static int value_take(const struct status_parser *parser, const struct field *field,
		      const char *value)
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
		good = status_signed_parse(value, (int64_t *)(void *)at);
		break;
	case KIND_BOOL:
		good = bool_parse(value, (bool *)(void *)at);
		break;
	case KIND_HASH:
		good = status_hash_parse(value, (struct status_hash *)(void *)at);
		break;
	case KIND_NAMES:
		return names_take(parser, (char **)(void *)at, value);
	}
	return good ? 0 : status_refuse(parser, field->name, value);
}

bool status_field_take(const struct status_parser *parser, const char *name, const char *value,
		       int *error)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(fields[i].name, name) != 0)
			continue;
		*error = value_take(parser, &fields[i], value);
		return true;
	}
	return false;
}
