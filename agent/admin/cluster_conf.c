/* cluster_conf.c - see cluster_conf.h.
 *
 * libconfuse splits the file into sections and strings; every value is taken as a string and judged
 * by conf_rules as soon as it is read, while its line is known.  What concerns several values
 * is judged at the end.  Not reentrant (libconfuse's scanner is not).
 */
#include "admin/cluster_conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "admin/conf_rules.h"
#include "admin/human.h"
#include "list/conftext.h"
#include "mcroster_segment.h"

#define WEIGHT_DEFAULT "100"

/* One file being read: where its options are, and whether something was wrong with it. */
struct reading {
	const char *path;
	int line[CONF_RULE_COUNT]; /* where an option was found; 0: not, in this section */
	bool failed;
	struct failure *failure;
};

/* libconfuse hands its callbacks no context of ours; one file is read at a time. */
static struct reading *reading_now;

__attribute__((format(printf, 3, 4))) static int refuse(struct reading *r, int line,
							const char *format, ...)
{
	char what[FAILURE_BYTES];
	va_list arguments;

	if (r->failed) /* the first one is the cause */
		return -EINVAL;
	r->failed = true;
	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	return failure_set(r->failure, EINVAL, "%s:%d: %s", r->path, line, what);
}

/* The line of an option of the file itself; of one that stands at its default, that of what is
 * compared with it. */
static int line_of(const struct reading *r, const char *option)
{
	int line = r->line[conf_rule_find("root", option) - conf_rules];

	return line != 0 ? line : r->line[conf_rule_find("root", "lease") - conf_rules];
}

/* Called after each value, while cfg->line is its line. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	struct reading *r = reading_now;
	const struct conf_rule *rule = conf_rule_find(cfg_name(cfg), cfg_opt_name(opt));
	const unsigned count = cfg_opt_size(opt);
	const char *value = count > 0 ? cfg_opt_getnstr(opt, count - 1) : NULL;
	char expected[160];
	int *line;

	if (rule == NULL || value == NULL)
		return refuse(r, cfg->line, "%s: found nothing, expected a value",
			      cfg_opt_name(opt));
	line = &r->line[rule - conf_rules];
	/* A list is shown once more at its end. */
	if (*line != 0 && count == 1 && ((opt->flags & CFGF_LIST) == 0 || *line != cfg->line))
		return refuse(r, cfg->line, "%s: found a second one, expected it once (line %d)",
			      cfg_opt_name(opt), *line);
	*line = cfg->line;
	if (conf_value_valid(rule, value))
		return 0;
	conf_expected_print(rule, expected, sizeof(expected));
	return refuse(r, cfg->line, "%s: found '%.80s', expected %s", cfg_opt_name(opt), value,
		      expected);
}

/* Called when an agent or server section ends. */
static int on_section(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	const char *kind = cfg_opt_name(opt);

	if (!conf_name_valid(cfg_title(section)))
		return refuse(reading_now, cfg->line,
			      "%s: found the name '%.80s', expected 1 to %u letters, digits, '.', "
			      "'_' and '-', a letter or digit first",
			      kind, cfg_title(section), LIST_NAME_MAX);
	for (size_t i = 0; i < CONF_RULE_COUNT; i++) {
		if (!conf_rule_in(&conf_rules[i], kind))
			continue;
		if (conf_rules[i].required && reading_now->line[i] == 0)
			return refuse(reading_now, cfg->line,
				      "%s \"%s\": found no %s, expected one", kind,
				      cfg_title(section), conf_rule_name(&conf_rules[i]));
		reading_now->line[i] = 0;
	}
	return 0;
}

__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *format,
							   va_list arguments)
{
	char message[160], known[200] = "";

	(void)vsnprintf(message, sizeof(message), format, arguments);
	if (strncmp(message, "no such option", 14) == 0) {
		conf_options_print(cfg_name(cfg), known, sizeof(known));
		(void)refuse(reading_now, cfg->line,
			     "found an unknown option%s, expected one of %s", message + 14, known);
	} else if (strncmp(message, "found duplicate title", 21) == 0) {
		(void)refuse(reading_now, cfg->line, "found the name%s twice, expected each once",
			     message + 21);
	} else {
		(void)refuse(reading_now, cfg->line,
			     "found %s, expected option = \"value\", agent \"name\" { ... } or "
			     "server \"name\" { ... }",
			     message);
	}
}

static uint32_t number_get(cfg_t *cfg, const char *option)
{
	uint64_t number = 0;

	(void)human_number(cfg_getstr(cfg, option), 0, UINT32_MAX, &number);
	return (uint32_t)number;
}

static void string_get(cfg_t *cfg, const char *option, char *out, size_t size)
{
	(void)snprintf(out, size, "%s", cfg_getstr(cfg, option));
}

/* What both an agent's and a server's section must not share with one before it.  A section's line
 * is that of its end. */
static int twice(struct reading *r, cfg_t *section, const char *what, const char *value,
		 const char *other)
{
	return refuse(r, section->line, "%s \"%s\": found the %s %s of \"%s\", expected its own",
		      cfg_name(section), cfg_title(section), what, value, other);
}

static int agents_take(struct reading *r, cfg_t *cfg, struct list *wanted)
{
	unsigned count = cfg_size(cfg, "agent");

	if (count == 0 || count > LIST_AGENTS_MAX)
		return refuse(r, cfg->line, "found %u agents, expected 1 to %u", count,
			      LIST_AGENTS_MAX);
	wanted->agents = calloc(count, sizeof(*wanted->agents));
	if (wanted->agents == NULL)
		return failure_set(r->failure, ENOMEM, "%s: out of memory", r->path);
	for (unsigned i = 0; i < count; i++) {
		cfg_t *section = cfg_getnsec(cfg, "agent", i);
		struct list_agent *agent = &wanted->agents[i];

		(void)snprintf(agent->name, sizeof(agent->name), "%s", cfg_title(section));
		string_get(section, "address", agent->address, sizeof(agent->address));
		(void)document_key_parse(cfg_getstr(section, "key"), agent->key);
		for (unsigned j = 0; j < i; j++) {
			const struct list_agent *other = &wanted->agents[j];

			if (strcmp(agent->address, other->address) == 0)
				return twice(r, section, "address", agent->address, other->name);
			if (memcmp(agent->key, other->key, sizeof(agent->key)) == 0)
				return twice(r, section, "key", cfg_getstr(section, "key"),
					     other->name);
		}
		wanted->agent_count = i + 1;
	}
	return 0;
}

static int server_take(struct reading *r, cfg_t *section, const struct list *wanted,
		       struct list_server *server)
{
	int agent = list_agent_find(wanted, cfg_getstr(section, "agent"));

	if (agent < 0)
		return refuse(r, section->line,
			      "server \"%s\": found the agent '%s', expected one of this file's",
			      cfg_title(section), cfg_getstr(section, "agent"));
	(void)snprintf(server->name, sizeof(server->name), "%s", cfg_title(section));
	string_get(section, "address", server->address, sizeof(server->address));
	server->weight = number_get(section, "weight");
	server->agent = (uint32_t)agent;
	if (cfg_size(section, "label") > 0) {
		if (distribution_rules(wanted->distribution)->kind != MCR_TABLE_RING)
			return refuse(r, section->line,
				      "server \"%s\": found a label, expected one only where the "
				      "distribution makes a ring",
				      server->name);
		string_get(section, "label", server->label, sizeof(server->label));
	}
	server->has_wipe = cfg_size(section, "wipe") > 0;
	if (server->has_wipe)
		(void)human_number(cfg_getstr(section, "wipe"), 0, LIST_WIPE_MAX, &server->wipe);
	for (uint32_t i = 0; i < wanted->server_count; i++)
		if (strcmp(server->address, wanted->servers[i].address) == 0)
			return twice(r, section, "address", server->address,
				     wanted->servers[i].name);
	for (uint32_t i = 0; i < wanted->agent_count; i++)
		if (strcmp(server->address, wanted->agents[i].address) == 0)
			return twice(r, section, "address", server->address,
				     wanted->agents[i].name);
	return 0;
}

static int servers_take(struct reading *r, cfg_t *cfg, struct list *wanted)
{
	unsigned count = cfg_size(cfg, "server");

	if (count == 0 || count > LIST_SERVERS_MAX)
		return refuse(r, cfg->line, "found %u servers, expected 1 to %u", count,
			      LIST_SERVERS_MAX);
	wanted->servers = calloc(count, sizeof(*wanted->servers));
	if (wanted->servers == NULL)
		return failure_set(r->failure, ENOMEM, "%s: out of memory", r->path);
	for (unsigned i = 0; i < count; i++) {
		int error =
		    server_take(r, cfg_getnsec(cfg, "server", i), wanted, &wanted->servers[i]);

		if (error < 0)
			return error;
		wanted->server_count = i + 1;
	}
	return 0;
}

static int policy_take(struct reading *r, cfg_t *cfg, struct list *wanted)
{
	for (size_t i = 0; i < CONF_RULE_COUNT; i++)
		if (conf_rules[i].required && conf_rule_in(&conf_rules[i], "root") &&
		    cfg_size(cfg, conf_rules[i].option) == 0)
			return refuse(r, cfg->line, "found the end, expected '%s = ...' before it",
				      conf_rules[i].option);
	string_get(cfg, "cluster", wanted->cluster, sizeof(wanted->cluster));
	string_get(cfg, "prefix", wanted->prefix, sizeof(wanted->prefix));
	(void)conf_distribution_parse(cfg_getstr(cfg, "distribution"), &wanted->distribution,
				      &wanted->key_hash);
	if (wanted->distribution == DISTRIBUTION_SLOTS)
		wanted->slot_count = number_get(cfg, "slots");
	else if (r->line[conf_rule_find("root", "slots") - conf_rules] != 0)
		return refuse(
		    r, line_of(r, "slots"),
		    "slots: found a number of slots, expected none beside the distribution "
		    "\"%s\"",
		    cfg_getstr(cfg, "distribution"));
	wanted->lease_ms = number_get(cfg, "lease");
	wanted->steady_lease_ms = number_get(cfg, "steady-lease");
	wanted->op_timeout_ms = number_get(cfg, "op-timeout");
	wanted->client_quorum = number_get(cfg, "client-quorum");
	wanted->registration_required = strcmp(cfg_getstr(cfg, "registration"), "required") == 0;
	wanted->isolation = strcmp(cfg_getstr(cfg, "isolation"), "bypass") == 0
				? LIST_ISOLATION_BYPASS
				: LIST_ISOLATION_SERVE;
	if (strcmp(cfg_getstr(cfg, "unaware-clients"), "yes") == 0)
		wanted->unaware_poll_ms = number_get(cfg, "unaware-poll");
	else if (r->line[conf_rule_find("root", "unaware-poll") - conf_rules] != 0)
		return refuse(r, line_of(r, "unaware-poll"),
			      "unaware-poll: found a time, expected 'unaware-clients = yes' beside "
			      "it");
	if (wanted->steady_lease_ms < wanted->lease_ms)
		return refuse(r, line_of(r, "steady-lease"),
			      "steady-lease: found %" PRIu32
			      ", expected at least the lease (%" PRIu32 ")",
			      wanted->steady_lease_ms, wanted->lease_ms);
	if (3 * (uint64_t)wanted->op_timeout_ms >= wanted->lease_ms)
		return refuse(r, line_of(r, "op-timeout"),
			      "op-timeout: found %" PRIu32
			      ", expected less than a third of the lease (%" PRIu32 ")",
			      wanted->op_timeout_ms, wanted->lease_ms);
	return 0;
}

static int coordinator_take(struct reading *r, cfg_t *cfg, struct list *wanted)
{
	const unsigned count = cfg_size(cfg, "coordinator");

	if (count > LIST_COORDINATORS_MAX)
		return refuse(r, line_of(r, "coordinator"),
			      "coordinator: found %u names, expected at most %u", count,
			      LIST_COORDINATORS_MAX);
	for (unsigned i = 0; i < count; i++) {
		const char *name = cfg_getnstr(cfg, "coordinator", i);
		int agent = list_agent_find(wanted, name);

		if (agent < 0)
			return refuse(r, line_of(r, "coordinator"),
				      "coordinator: found '%s', expected the name of an agent",
				      name);
		wanted->coordinators[i] = (uint32_t)agent;
	}
	wanted->coordinator = wanted->coordinators[0];
	wanted->coordinator_count = count;
	return 0;
}

static int text_parse(struct reading *r, cfg_t *cfg, char *text)
{
	int result;

	cfg_set_error_function(cfg, on_error);
	for (size_t i = 0; i < CONF_RULE_COUNT; i++)
		cfg_set_validate_func(cfg, conf_rules[i].option, on_value);
	cfg_set_validate_func(cfg, "agent", on_section);
	cfg_set_validate_func(cfg, "server", on_section);
	reading_now = r;
	result = cfg_parse_buf(cfg, text);
	reading_now = NULL;
	if (result != CFG_SUCCESS && !r->failed)
		return refuse(r, cfg->line, "cannot be understood");
	return r->failed ? -EINVAL : 0;
}

static cfg_t *parser_new(void)
{
	cfg_opt_t agent[] = {
	    CFG_STR("address", NULL, CFGF_NODEFAULT),
	    CFG_STR("key", NULL, CFGF_NODEFAULT),
	    CFG_END(),
	};
	cfg_opt_t server[] = {
	    CFG_STR("address", NULL, CFGF_NODEFAULT), CFG_STR("weight", WEIGHT_DEFAULT, CFGF_NONE),
	    CFG_STR("agent", NULL, CFGF_NODEFAULT),   CFG_STR("label", NULL, CFGF_NODEFAULT),
	    CFG_STR("wipe", NULL, CFGF_NODEFAULT),    CFG_END(),
	};
	cfg_opt_t options[] = {
	    CFG_STR("cluster", NULL, CFGF_NODEFAULT),
	    CFG_STR("distribution", "slots", CFGF_NONE),
	    CFG_STR("slots", "16384", CFGF_NONE),
	    CFG_STR("lease", "5000", CFGF_NONE),
	    CFG_STR("steady-lease", "60000", CFGF_NONE),
	    CFG_STR("op-timeout", "1000", CFGF_NONE),
	    CFG_STR("client-quorum", "0", CFGF_NONE),
	    CFG_STR("registration", "required", CFGF_NONE),
	    CFG_STR("isolation", "serve", CFGF_NONE),
	    CFG_STR("unaware-clients", "no", CFGF_NONE),
	    CFG_STR("unaware-poll", "30000", CFGF_NONE),
	    CFG_STR_LIST("coordinator", NULL, CFGF_NODEFAULT),
	    CFG_STR("prefix", "", CFGF_NONE),
	    CFG_SEC("agent", agent, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	    CFG_SEC("server", server, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	    CFG_END(),
	};

	return cfg_init(options, CFGF_NONE); /* copies them */
}

/* `text` has no comments any more. */
static int bare_parse(const char *path, char *text, struct cluster_conf **conf,
		      struct failure *failure)
{
	struct reading r = {.path = path, .failure = failure};
	struct cluster_conf *read = calloc(1, sizeof(*read));
	cfg_t *cfg = parser_new();
	int error;

	if (read == NULL || cfg == NULL) {
		error = failure_set(failure, ENOMEM, "%s: out of memory", path);
		goto out;
	}
	error = text_parse(&r, cfg, text);
	if (error == 0)
		error = policy_take(&r, cfg, &read->wanted);
	if (error == 0)
		error = agents_take(&r, cfg, &read->wanted);
	if (error == 0)
		error = servers_take(&r, cfg, &read->wanted);
	if (error == 0)
		error = coordinator_take(&r, cfg, &read->wanted);
	if (error == 0) {
		*conf = read;
		read = NULL;
	}
out:
	if (cfg != NULL)
		(void)cfg_free(cfg);
	cluster_conf_free(read);
	return error;
}

int cluster_conf_load(const char *path, struct cluster_conf **conf, struct failure *failure)
{
	char *text = NULL;
	int error = conftext_read(path, &text, failure);

	if (error == 0)
		error = bare_parse(path, text, conf, failure);
	free(text);
	return error;
}

int cluster_conf_parse(const char *path, const char *text, struct cluster_conf **conf,
		       struct failure *failure)
{
	char *bare = strdup(text);
	int error = bare != NULL ? conftext_prepare(bare, path, failure)
				 : failure_set(failure, ENOMEM, "%s: out of memory", path);

	if (error == 0)
		error = bare_parse(path, bare, conf, failure);
	free(bare);
	return error;
}

void cluster_conf_free(struct cluster_conf *conf)
{
	if (conf == NULL)
		return;
	free(conf->wanted.agents);
	free(conf->wanted.servers);
	free(conf->wanted.giveups);
	free(conf);
}
