/* conf_rules.c - see conf_rules.h.  The bounds are the list's own, so that what passes here is not
 * refused when the list is written, where the sentence could not name a line of cluster.conf. */
#include "admin/conf_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "admin/human.h"
#include "list/list.h"

const struct conf_rule conf_rules[CONF_RULE_COUNT] = {
    {"cluster", CONF_NAME, true, 0, 0, {NULL, NULL}},
    {"distribution", CONF_DISTRIBUTION, false, 0, 0, {NULL, NULL}},
    {"slots", CONF_SLOTS, false, LIST_SLOTS_MIN, LIST_SLOTS_MAX, {NULL, NULL}},
    {"lease", CONF_NUMBER, false, LIST_LEASE_MS_MIN, LIST_TIME_MS_MAX, {NULL, NULL}},
    {"steady-lease", CONF_NUMBER, false, LIST_LEASE_MS_MIN, LIST_TIME_MS_MAX, {NULL, NULL}},
    {"op-timeout", CONF_NUMBER, false, LIST_OP_TIMEOUT_MS_MIN, LIST_TIME_MS_MAX, {NULL, NULL}},
    {"client-quorum", CONF_NUMBER, false, 0, 100, {NULL, NULL}},
    {"registration", CONF_WORD, false, 0, 0, {"required", "optional"}},
    {"isolation", CONF_WORD, false, 0, 0, {"serve", "bypass"}},
    {"unaware-clients", CONF_WORD, false, 0, 0, {"no", "yes"}},
    {"unaware-poll", CONF_NUMBER, false, LIST_UNAWARE_POLL_MS_MIN, LIST_TIME_MS_MAX, {NULL, NULL}},
    {"coordinator", CONF_NAME, true, 0, 0, {NULL, NULL}},
    {"prefix", CONF_PREFIX, false, 0, 0, {NULL, NULL}},
    {"agent|address", CONF_ADDRESS, true, 0, 0, {NULL, NULL}},
    {"agent|key", CONF_KEY, true, 0, 0, {NULL, NULL}},
    {"server|address", CONF_ADDRESS, true, 0, 0, {NULL, NULL}},
    {"server|weight", CONF_NUMBER, false, 1, LIST_WEIGHT_MAX, {NULL, NULL}},
    {"server|agent", CONF_NAME, true, 0, 0, {NULL, NULL}},
    {"server|label", CONF_LABEL, false, 0, 0, {NULL, NULL}},
    {"server|wipe", CONF_NUMBER, false, 0, LIST_WIPE_MAX, {NULL, NULL}},
};

bool conf_name_valid(const char *name)
{
	static const char set[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t length = strlen(name);

	return length >= 1 && length <= LIST_NAME_MAX && strspn(name, set) == length &&
	       strchr("._-", name[0]) == NULL;
}

static bool word_valid(const char *word, size_t max)
{
	for (const char *c = word; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return strlen(word) <= max;
}

bool conf_distribution_parse(const char *value, enum distribution *distribution, uint32_t *hash)
{
	const char *space = strchr(value, ' '), *second = space != NULL ? space + 1 : "";
	char name[DISTRIBUTION_TEXT_BYTES];
	const struct distribution_rules *rules;

	(void)snprintf(name, sizeof(name), "%.*s",
		       space != NULL ? (int)(space - value) : (int)sizeof(name), value);
	if (!distribution_find(name, second, distribution))
		return false;
	rules = distribution_rules(*distribution);
	if (rules->hash_said)
		return distribution_hash_find(second, hash);
	return rules->variant != NULL || space == NULL;
}

/* No agent and no memcached can be reached at the wildcard. */
static bool address_valid(const char *address)
{
	return list_address_valid(address) && strncmp(address, "0.0.0.0:", 8) != 0 &&
	       strncmp(address, "[::]:", 5) != 0;
}

static bool key_valid(const char *text)
{
	uint8_t key[DOCUMENT_KEY_BYTES];

	return document_key_parse(text, key) == 0 && !sodium_is_zero(key, sizeof(key));
}

bool conf_value_valid(const struct conf_rule *rule, const char *value)
{
	enum distribution distribution;
	uint64_t number;
	uint32_t hash;

	switch (rule->kind) {
	case CONF_NAME:
		return conf_name_valid(value);
	case CONF_ADDRESS:
		return address_valid(value);
	case CONF_KEY:
		return key_valid(value);
	case CONF_SLOTS:
		return human_number(value, rule->min, rule->max, &number) &&
		       (number & (number - 1)) == 0;
	case CONF_NUMBER:
		return human_number(value, rule->min, rule->max, &number);
	case CONF_WORD:
		return strcmp(value, rule->words[0]) == 0 || strcmp(value, rule->words[1]) == 0;
	case CONF_PREFIX:
		return word_valid(value, LIST_PREFIX_MAX);
	case CONF_DISTRIBUTION:
		return conf_distribution_parse(value, &distribution, &hash);
	case CONF_LABEL:
		return value[0] != '\0' && word_valid(value, LIST_LABEL_MAX);
	}
	return false;
}

void conf_expected_print(const struct conf_rule *rule, char *out, size_t size)
{
	switch (rule->kind) {
	case CONF_NAME:
		(void)snprintf(out, size,
			       "1 to %u letters, digits, '.', '_' and '-', a letter or digit first",
			       LIST_NAME_MAX);
		return;
	case CONF_ADDRESS:
		(void)snprintf(
		    out, size,
		    "a numeric address with a port, as 10.0.0.1:11211 or [fd00::1]:11211");
		return;
	case CONF_KEY:
		(void)snprintf(out, size, "the base64 of 32 bytes that 'mcadmin hostkey' printed");
		return;
	case CONF_SLOTS:
		(void)snprintf(out, size, "a power of two from %" PRIu64 " to %" PRIu64, rule->min,
			       rule->max);
		return;
	case CONF_NUMBER:
		(void)snprintf(out, size, "a whole number from %" PRIu64 " to %" PRIu64, rule->min,
			       rule->max);
		return;
	case CONF_WORD:
		(void)snprintf(out, size, "\"%s\" or \"%s\"", rule->words[0], rule->words[1]);
		return;
	case CONF_PREFIX:
		(void)snprintf(out, size, "at most %u printable characters without blanks",
			       LIST_PREFIX_MAX);
		return;
	case CONF_DISTRIBUTION:
		(void)snprintf(out, size,
			       "one that mcroster knows, as \"slots\", \"ketama\" or "
			       "\"ketama-weighted md5\"");
		return;
	case CONF_LABEL:
		(void)snprintf(out, size, "1 to %u printable characters without blanks",
			       LIST_LABEL_MAX);
		return;
	}
}

/* The rule of an option of the section `section` ("root" for the file itself), or NULL. */
const struct conf_rule *conf_rule_find(const char *section, const char *option)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "%s|%s", section, option);
	for (size_t i = 0; i < CONF_RULE_COUNT; i++)
		if (strcmp(conf_rules[i].option, path) == 0 ||
		    strcmp(conf_rules[i].option, option) == 0)
			return &conf_rules[i];
	return NULL;
}

/* "agent" for the first part of "agent|key"; "root" where there is none. */
bool conf_rule_in(const struct conf_rule *rule, const char *section)
{
	const char *bar = strchr(rule->option, '|');

	if (bar == NULL)
		return strcmp(section, "root") == 0;
	return strlen(section) == (size_t)(bar - rule->option) &&
	       strncmp(rule->option, section, strlen(section)) == 0;
}

const char *conf_rule_name(const struct conf_rule *rule)
{
	const char *bar = strchr(rule->option, '|');

	return bar == NULL ? rule->option : bar + 1;
}

void conf_options_print(const char *section, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < CONF_RULE_COUNT && used < size; i++)
		if (conf_rule_in(&conf_rules[i], section))
			used +=
			    (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "",
					     conf_rule_name(&conf_rules[i]));
	if (strcmp(section, "root") == 0 && used < size)
		(void)snprintf(out + used, size - used, ", agent, server");
}
