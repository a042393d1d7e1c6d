/* list_lines.c - what each line of a list may say.
 *
 * One function for each kind of line; `list_form` is the grammar: the lines in the one order they
 * may have.  The words come from outside; a rule that is broken is refused with the line's number.
 */
#include "list/list_parser.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "list/line_values.h"
#include "mcroster_segment.h"

#define SLOT_BYTES     2u
#define SLOTS_LINE     "slots "
#define SLOTS_CHARS    ((LIST_SLOTS_MAX * SLOT_BYTES + 2) / 3 * 4)
#define SLOTS_LINE_MAX (sizeof(SLOTS_LINE) - 1 + SLOTS_CHARS)

static struct list *list_of(const struct lines *lines)
{
	return ((const struct list_parser *)lines->made)->list;
}

static int take_agent_name(struct lines *lines, struct word word, const char *whose,
			   uint32_t *agent)
{
	char name[LIST_NAME_MAX + 1];
	int error = line_name(lines, word, whose, name);
	int index;

	if (error != 0)
		return error;
	index = list_agent_find(list_of(lines), name);
	if (index < 0)
		return lines_refuse(lines, "%s `%s`: no agent line has this name", whose, name);
	*agent = (uint32_t)index;
	return 0;
}

/* One function for each kind of line; words[0] is the keyword. */

static int take_magic(struct lines *lines, const struct word *words)
{
	return line_format(lines, words[1]);
}

static int take_cluster(struct lines *lines, const struct word *words)
{
	return line_name(lines, words[1], "cluster", list_of(lines)->cluster);
}

static int take_epoch(struct lines *lines, const struct word *words)
{
	return line_number(lines, words[1], "epoch", 1, LIST_EPOCH_MAX, &list_of(lines)->epoch);
}

static int take_parent(struct lines *lines, const struct word *words)
{
	struct list *list = list_of(lines);

	return line_hash_or_none(lines, words[1], "parent", &list->has_parent, list->parent);
}

static int take_created(struct lines *lines, const struct word *words)
{
	return line_created(lines, words[1], list_of(lines)->created);
}

static int take_slot_count(struct lines *lines, struct word word)
{
	uint32_t *count = &list_of(lines)->slot_count;
	int error = line_number32(lines, word, "slots", LIST_SLOTS_MIN, LIST_SLOTS_MAX, count);

	if (error == 0 && (*count & (*count - 1)) != 0)
		return lines_refuse(lines, "%" PRIu32 " slots: want a power of two", *count);
	return error;
}

static int take_distribution(struct lines *lines, const struct word *words)
{
	struct list *list = list_of(lines);
	char name[DISTRIBUTION_TEXT_BYTES] = "", second[DISTRIBUTION_TEXT_BYTES] = "";
	const struct distribution_rules *rules;
	bool wanted;

	if (words[1].bytes < sizeof(name))
		memcpy(name, words[1].text, words[1].bytes);
	if (lines->word_count == 3 && words[2].bytes < sizeof(second))
		memcpy(second, words[2].text, words[2].bytes);
	if (!distribution_known(name))
		return lines_refuse(lines, "distribution `%.*s`: none of this name is known",
				    (int)words[1].bytes, words[1].text);
	if (!distribution_find(name, second, &list->distribution))
		return lines_refuse(lines, "distribution %s `%s`: none of this name is known", name,
				    second);
	rules = distribution_rules(list->distribution);
	wanted = rules->variant != NULL || rules->hash_said || rules->kind == MCR_TABLE_SLOTS;
	if (wanted != (lines->word_count == 3))
		return lines_refuse(lines, "distribution %s: want %s word behind the name", name,
				    wanted ? "one more" : "no");
	if (rules->kind == MCR_TABLE_SLOTS)
		return take_slot_count(lines, words[2]);
	if (rules->hash_said && !distribution_hash_find(second, &list->key_hash))
		return lines_refuse(lines, "distribution %s `%.*s`: no hash of this name is known",
				    name, (int)words[2].bytes, words[2].text);
	return 0;
}

static int take_lease(struct lines *lines, const struct word *words)
{
	return line_number32(lines, words[1], "lease", LIST_LEASE_MS_MIN, LIST_TIME_MS_MAX,
			     &list_of(lines)->lease_ms);
}

static int take_steady_lease(struct lines *lines, const struct word *words)
{
	struct list *list = list_of(lines);
	int error = line_number32(lines, words[1], "steady-lease", LIST_LEASE_MS_MIN,
				  LIST_TIME_MS_MAX, &list->steady_lease_ms);

	if (error == 0 && list->steady_lease_ms < list->lease_ms)
		return lines_refuse(lines,
				    "steady-lease %" PRIu32 " is below lease %" PRIu32
				    ": it must be at least as long",
				    list->steady_lease_ms, list->lease_ms);
	return error;
}

static int take_op_timeout(struct lines *lines, const struct word *words)
{
	struct list *list = list_of(lines);
	int error = line_number32(lines, words[1], "op-timeout", LIST_OP_TIMEOUT_MS_MIN,
				  LIST_TIME_MS_MAX, &list->op_timeout_ms);

	if (error == 0 && 3 * list->op_timeout_ms >= list->lease_ms)
		return lines_refuse(lines,
				    "op-timeout %" PRIu32 " is too long for lease %" PRIu32
				    ": three times it must be less than the lease",
				    list->op_timeout_ms, list->lease_ms);
	return error;
}

static int take_client_quorum(struct lines *lines, const struct word *words)
{
	return line_number32(lines, words[1], "client-quorum", 0, 100,
			     &list_of(lines)->client_quorum);
}

static int take_registration(struct lines *lines, const struct word *words)
{
	list_of(lines)->registration_required = text_is(words[1], "required");
	if (!list_of(lines)->registration_required && !text_is(words[1], "optional"))
		return lines_refuse(lines, "registration `%.*s`: want required or optional",
				    (int)words[1].bytes, words[1].text);
	return 0;
}

static int take_isolation(struct lines *lines, const struct word *words)
{
	const bool bypass = text_is(words[1], "bypass");

	if (!bypass && !text_is(words[1], "serve"))
		return lines_refuse(lines, "isolation `%.*s`: want serve or bypass",
				    (int)words[1].bytes, words[1].text);
	list_of(lines)->isolation = bypass ? LIST_ISOLATION_BYPASS : LIST_ISOLATION_SERVE;
	return 0;
}

/* One canonical form: where there are none, there is no line. */
static int take_unaware_clients(struct lines *lines, const struct word *words)
{
	if (!text_is(words[1], "yes"))
		return lines_refuse(lines,
				    "unaware-clients `%.*s`: want yes, or no such line at all",
				    (int)words[1].bytes, words[1].text);
	((struct list_parser *)lines->made)->unaware_line = lines->line;
	return 0;
}

static int take_unaware_poll(struct lines *lines, const struct word *words)
{
	if (((struct list_parser *)lines->made)->unaware_line == 0)
		return lines_refuse(lines, "unaware-poll without `unaware-clients yes` before it");
	return line_number32(lines, words[1], "unaware-poll", LIST_UNAWARE_POLL_MS_MIN,
			     LIST_TIME_MS_MAX, &list_of(lines)->unaware_poll_ms);
}

/* Blanks and control characters were refused before the line was cut into words. */
static int take_prefix(struct lines *lines, const struct word *words)
{
	if (words[1].bytes > LIST_PREFIX_MAX)
		return lines_refuse(lines, "prefix of %zu bytes: at most %u are allowed",
				    words[1].bytes, LIST_PREFIX_MAX);
	memcpy(list_of(lines)->prefix, words[1].text, words[1].bytes);
	list_of(lines)->prefix[words[1].bytes] = '\0';
	return 0;
}

static int take_agent(struct lines *lines, const struct word *words)
{
	struct list_parser *parser = lines->made;
	struct list *list = parser->list;
	struct word key = words[3];
	struct list_agent *agent;
	int error;

	if (list->agent_count == LIST_AGENTS_MAX)
		return lines_refuse(lines, "more than %u agents", LIST_AGENTS_MAX);
	agent = lines_grow(list->agents, list->agent_count, &parser->agent_room, sizeof(*agent));
	if (agent == NULL)
		return failure_set(lines->failure, ENOMEM, "no memory for one more agent");
	list->agents = agent;
	if (list->agent_count == 0)
		parser->first_agent_line = lines->line;
	agent += list->agent_count;
	memset(agent, 0, sizeof(*agent));
	error = line_name(lines, words[1], "agent", agent->name);
	if (error == 0)
		error = line_address(lines, words[2], "agent address", agent->address);
	if (error != 0)
		return error;
	/* All zero is no key at all: it must never be what somebody authenticates as. */
	if (!text_option(&key, "key=") || !text_key(key, agent->key) ||
	    sodium_is_zero(agent->key, sizeof(agent->key)))
		return lines_refuse(
		    lines,
		    "`%.*s`: want key= and 44 characters of canonical base64, the host's "
		    "public key",
		    (int)words[3].bytes, words[3].text);
	for (uint32_t i = 0; i < list->agent_count; i++) {
		const struct list_agent *other = &list->agents[i];
		const char *same = strcmp(other->name, agent->name) == 0	 ? "name"
				   : strcmp(other->address, agent->address) == 0 ? "address"
				   : memcmp(other->key, agent->key, sizeof(agent->key)) == 0 ? "key"
											     : NULL;

		if (same != NULL)
			return lines_refuse(
			    lines,
			    "agent `%s` has the %s of the agent `%s` at line %" PRIu32
			    ": each must be its own",
			    agent->name, same, other->name, parser->first_agent_line + i);
	}
	list->agent_count++;
	return 0;
}

static int take_coordinator(struct lines *lines, const struct word *words)
{
	struct list *list = list_of(lines);
	uint32_t agent = 0;
	int error;

	if (list->coordinator_count == LIST_COORDINATORS_MAX)
		return lines_refuse(lines, "more than %u coordinators", LIST_COORDINATORS_MAX);
	error = take_agent_name(lines, words[1], "coordinator", &agent);
	if (error != 0)
		return error;
	if (list_may_coordinate(list, agent))
		return lines_refuse(lines, "coordinator `%s` stands twice",
				    list->agents[agent].name);
	list->coordinators[list->coordinator_count++] = agent;
	list->coordinator = list->coordinators[0];
	return 0;
}

/* Identity is name and address together, so neither may stand twice; and an agent's port is not a
 * memcached's. */
static int server_unique(struct lines *lines, const struct list_server *server)
{
	const struct list_parser *parser = lines->made;
	const struct list *list = parser->list;

	for (uint32_t i = 0; i < list->server_count; i++) {
		const struct list_server *other = &list->servers[i];
		const char *same = strcmp(other->name, server->name) == 0	  ? "name"
				   : strcmp(other->address, server->address) == 0 ? "address"
										  : NULL;

		if (same != NULL)
			return lines_refuse(
			    lines,
			    "server `%s` at %s has the %s of the server `%s` at line "
			    "%" PRIu32 ": each must be its own",
			    server->name, server->address, same, other->name,
			    parser->first_server_line + i);
	}
	for (uint32_t i = 0; i < list->agent_count; i++)
		if (strcmp(list->agents[i].address, server->address) == 0)
			return lines_refuse(lines,
					    "server `%s` at %s has the address of agent `%s`",
					    server->name, server->address, list->agents[i].name);
	return 0;
}

/* Only a ring is made of names. */
static int take_label(struct lines *lines, struct word word, struct list_server *server)
{
	if (distribution_rules(list_of(lines)->distribution)->kind != MCR_TABLE_RING)
		return lines_refuse(lines,
				    "server `%s`: a label is for distributions that make a ring",
				    server->name);
	if (word.bytes == 0 || word.bytes > LIST_LABEL_MAX)
		return lines_refuse(lines, "server `%s`: label of %zu bytes, want 1 to %u",
				    server->name, word.bytes, LIST_LABEL_MAX);
	memcpy(server->label, word.text, word.bytes);
	return 0;
}

/* What may follow behind the agent. */
static int take_server_options(struct lines *lines, const struct word *words,
			       struct list_server *server)
{
	uint32_t at = 5;
	struct word word = words[at];
	int error = 0;

	if (at < lines->word_count && text_option(&word, "label=")) {
		error = take_label(lines, word, server);
		word = words[++at];
	}
	if (error == 0 && at < lines->word_count && text_option(&word, "wipe=")) {
		server->has_wipe = true;
		error = line_number(lines, word, "wipe", 0, LIST_WIPE_MAX, &server->wipe);
		at++;
	}
	if (error == 0 && at < lines->word_count)
		return lines_refuse(lines,
				    "server `%s`: after its agent want label=LABEL and wipe=N, "
				    "each where it is needed, in this order",
				    server->name);
	return error;
}

static int take_server(struct lines *lines, const struct word *words)
{
	struct list_parser *parser = lines->made;
	struct list *list = parser->list;
	struct word weight = words[3], agent = words[4];
	struct list_server *server;
	int error;

	if (list->server_count == LIST_SERVERS_MAX)
		return lines_refuse(lines, "more than %u servers", LIST_SERVERS_MAX);
	server =
	    lines_grow(list->servers, list->server_count, &parser->server_room, sizeof(*server));
	if (server == NULL)
		return failure_set(lines->failure, ENOMEM, "no memory for one more server");
	list->servers = server;
	if (list->server_count == 0)
		parser->first_server_line = lines->line;
	server += list->server_count;
	memset(server, 0, sizeof(*server));
	error = line_name(lines, words[1], "server", server->name);
	if (error == 0)
		error = line_address(lines, words[2], "server address", server->address);
	if (error != 0)
		return error;
	if (!text_option(&weight, "weight=") || !text_option(&agent, "agent="))
		return lines_refuse(
		    lines, "server `%s`: after its address want weight=W agent=NAME, in this order",
		    server->name);
	error = line_number32(lines, weight, "weight", 1, LIST_WEIGHT_MAX, &server->weight);
	if (error == 0)
		error = take_agent_name(lines, agent, "the server's agent", &server->agent);
	if (error == 0)
		error = take_server_options(lines, words, server);
	if (error == 0)
		error = server_unique(lines, server);
	if (error == 0)
		list->server_count++;
	return error;
}

/* Its name may be in the list again, at another address: the machine was replaced. */
static int take_giveup(struct lines *lines, const struct word *words)
{
	struct list_parser *parser = lines->made;
	struct list *list = parser->list;
	int error = identity_take(lines, words, "giveup", LIST_SERVERS_MAX, &parser->giveups);

	list->giveups = parser->giveups.items;
	list->giveup_count = parser->giveups.count;
	if (error != 0)
		return error;
	for (uint32_t i = 0; i < list->server_count; i++) {
		const struct list_identity *gone = &list->giveups[list->giveup_count - 1];

		if (strcmp(list->servers[i].address, gone->address) == 0)
			return lines_refuse(
			    lines,
			    "giveup `%s` at %s is the server `%s` of this list: only "
			    "one that leaves can be given up",
			    gone->name, gone->address, list->servers[i].name);
	}
	return 0;
}

static int take_slots(struct lines *lines, const struct word *words)
{
	struct list *list = list_of(lines);
	const size_t bytes = list->slot_count * SLOT_BYTES;
	uint8_t *table;
	int error = 0;

	if (list->distribution != DISTRIBUTION_SLOTS)
		return lines_refuse(lines, "slots: the distribution is %s, which has none",
				    distribution_rules(list->distribution)->name);
	table = malloc(bytes);
	list->slots = calloc(list->slot_count, sizeof(*list->slots));
	if (table == NULL || list->slots == NULL) {
		error = failure_set(lines->failure, ENOMEM, "no memory for %" PRIu32 " slots",
				    list->slot_count);
	} else if (document_base64_decode(words[1].text, words[1].bytes, table, bytes) != 0) {
		error = lines_refuse(lines,
				     "slots: want %zu characters of canonical base64 (%" PRIu32
				     " slots of two bytes), found %zu characters",
				     (bytes + 2) / 3 * 4, list->slot_count, words[1].bytes);
	} else {
		for (uint32_t i = 0; i < list->slot_count && error == 0; i++) {
			list->slots[i] = (uint16_t)(table[2 * i] | table[2 * i + 1] << 8);
			if (list->slots[i] >= list->server_count)
				error = lines_refuse(lines,
						     "slot %" PRIu32
						     " names server number %u: the list "
						     "has %" PRIu32 " servers, numbered from 0",
						     i, list->slots[i], list->server_count);
		}
	}
	free(table);
	return error;
}

static int list_end(struct lines *lines)
{
	const struct list *list = list_of(lines);
	const uint32_t unaware_line = ((struct list_parser *)lines->made)->unaware_line;

	if (unaware_line > 0 && list->unaware_poll_ms == 0)
		return lines_refuse(lines,
				    "unaware-clients yes at line %" PRIu32
				    ": want `unaware-poll MS` after it",
				    unaware_line);
	if (list->distribution == DISTRIBUTION_SLOTS && list->slots == NULL)
		return lines_refuse(lines,
				    "the list ends here: want `server ...` or `slots BASE64`");
	return 0;
}

static const struct lines_step steps[] = {
    {"mcroster-list", "mcroster-list 1", 2, 2, false, false, take_magic},
    {"cluster", "cluster NAME", 2, 2, false, false, take_cluster},
    {"epoch", "epoch N", 2, 2, false, false, take_epoch},
    {"parent", "parent HASH|none", 2, 2, false, false, take_parent},
    {"created", "created TIME", 2, 2, false, false, take_created},
    {"distribution", "distribution NAME [WORD]", 2, 3, false, false, take_distribution},
    {"lease", "lease MS", 2, 2, false, false, take_lease},
    {"steady-lease", "steady-lease MS", 2, 2, false, false, take_steady_lease},
    {"op-timeout", "op-timeout MS", 2, 2, false, false, take_op_timeout},
    {"client-quorum", "client-quorum PERCENT", 2, 2, false, false, take_client_quorum},
    {"registration", "registration required|optional", 2, 2, false, false, take_registration},
    {"isolation", "isolation serve|bypass", 2, 2, false, false, take_isolation},
    {"unaware-clients", "unaware-clients yes", 2, 2, true, false, take_unaware_clients},
    {"unaware-poll", "unaware-poll MS", 2, 2, true, false, take_unaware_poll},
    {"prefix", "prefix STRING", 2, 2, true, false, take_prefix},
    {"agent", "agent NAME ADDRESS key=KEY", 4, 4, false, true, take_agent},
    {"coordinator", "coordinator NAME", 2, 2, false, true, take_coordinator},
    {"server", "server NAME ADDRESS weight=W agent=NAME [label=LABEL] [wipe=N]", 5, 7, false, true,
     take_server},
    {"giveup", "giveup NAME ADDRESS", 3, 3, true, true, take_giveup},
    {"slots", "slots BASE64", 2, 2, true, false, take_slots},
};

const struct lines_form list_form = {
    .name = "list",
    .steps = steps,
    .step_count = sizeof(steps) / sizeof(steps[0]),
    .long_line = SLOTS_LINE,
    .long_line_max = SLOTS_LINE_MAX,
    .end = list_end,
};
