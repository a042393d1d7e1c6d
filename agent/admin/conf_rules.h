/* conf_rules.h - what each option of cluster.conf may say. */
#ifndef MCROSTER_ADMIN_CONF_RULES_H
#define MCROSTER_ADMIN_CONF_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list/distribution.h"

#define CONF_RULE_COUNT 20u

enum conf_kind {
	CONF_NAME,
	CONF_ADDRESS,
	CONF_KEY,
	CONF_NUMBER,
	CONF_SLOTS,
	CONF_DISTRIBUTION,
	CONF_LABEL,
	CONF_WORD,
	CONF_PREFIX
};

struct conf_rule {
	const char *option; /* "lease", or "server|weight" as cfg_set_validate_func names it */
	enum conf_kind kind;
	bool required;
	uint64_t min, max;
	const char *words[2]; /* CONF_WORD */
};

extern const struct conf_rule conf_rules[CONF_RULE_COUNT];

/* The rule of an option in a section ("agent", "server", or "root" for the file itself), or NULL.
 */
const struct conf_rule *conf_rule_find(const char *section, const char *option);
bool conf_rule_in(const struct conf_rule *rule, const char *section);
const char *conf_rule_name(const struct conf_rule *rule); /* the option without its section */

bool conf_value_valid(const struct conf_rule *rule, const char *value);
/* What the rule wants, for "... expected". */
void conf_expected_print(const struct conf_rule *rule, char *out, size_t size);
/* The options that a section knows, for "one of: ...". */
void conf_options_print(const char *section, char *out, size_t size);

/* "slots", "ketama", "ketama-weighted md5", "proxy-ring default": as the list says it, but for the
 * number of slots.  *hash is set where it says one. */
bool conf_distribution_parse(const char *value, enum distribution *distribution, uint32_t *hash);

/* A name as the list takes it: of a cluster, an agent, a server. */
bool conf_name_valid(const char *name);

#endif
