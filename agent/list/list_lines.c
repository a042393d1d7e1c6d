/* list_lines.c - what each line of a list may say.
 *
 * One function for each kind of line; `list_steps` is the grammar: the lines in the one order they
 * may have.  The words come from outside; a rule that is broken is refused with the line's number.
 */
#include "list/list_parser.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define SLOT_BYTES 2u

/* Room for one element more; doubles, because the number of lines is the author's to choose.  NULL:
 * no memory; `array` stays as it is then. */
static void *grow(void *array, uint32_t count, uint32_t *room, size_t size)
{
	const uint32_t wanted = *room == 0 ? 16 : *room * 2;
	void *larger;

	if (count < *room)
		return array;
	larger = reallocarray(array, wanted, size);
	if (larger != NULL)
		*room = wanted;
	return larger;
}

/* The values of words, refused with what they should have been. */

static int take_number(struct list_parser *parser, struct word word, const char *what, uint64_t min,
		       uint64_t max, uint64_t *number)
{
	if (!text_number(word, min, max, number))
		return list_refuse(parser,
				   "%s `%.*s`: want a decimal number from %" PRIu64 " to %" PRIu64
				   " without leading zeros",
				   what, (int)word.bytes, word.text, min, max);
	return 0;
}

static int take_number32(struct list_parser *parser, struct word word, const char *what,
			 uint32_t min, uint32_t max, uint32_t *number)
{
	uint64_t value = 0;
	int error = take_number(parser, word, what, min, max, &value);

	if (error == 0)
		*number = (uint32_t)value;
	return error;
}

static int take_name(struct list_parser *parser, struct word word, const char *what,
		     char name[LIST_NAME_MAX + 1])
{
	if (!text_name(word, name))
		return list_refuse(
		    parser,
		    "%s `%.*s`: want a name of 1 to %u letters, digits, `.`, `_` or `-` "
		    "that begins with a letter or digit",
		    what, (int)word.bytes, word.text, LIST_NAME_MAX);
	return 0;
}

/* Every host would take the wildcard for itself, so it names no machine. */
static bool address_is_wildcard(const char *address)
{
	return strncmp(address, "0.0.0.0:", 8) == 0 || strncmp(address, "[::]:", 5) == 0;
}

static int take_address(struct list_parser *parser, struct word word, const char *what,
			char address[LIST_ADDRESS_MAX + 1])
{
	if (!text_address(word, address) || address_is_wildcard(address))
		return list_refuse(
		    parser,
		    "%s `%.*s`: want the numeric address of one host in its shortest "
		    "spelling with a port, like 10.0.0.1:11211 or [fd00::1]:11211",
		    what, (int)word.bytes, word.text);
	return 0;
}

static int take_agent_name(struct list_parser *parser, struct word word, const char *whose,
			   uint32_t *agent)
{
	char name[LIST_NAME_MAX + 1];
	int error = take_name(parser, word, whose, name);
	int index;

	if (error != 0)
		return error;
	index = list_agent_find(parser->list, name);
	if (index < 0)
		return list_refuse(parser, "%s `%s`: no agent line has this name", whose, name);
	*agent = (uint32_t)index;
	return 0;
}

/* One function for each kind of line; words[0] is the keyword. */

static int take_magic(struct list_parser *parser, const struct word *words)
{
	if (!text_is(words[1], "1"))
		return list_refuse(parser, "list format `%.*s`: only format 1 is known",
				   (int)words[1].bytes, words[1].text);
	return 0;
}

static int take_cluster(struct list_parser *parser, const struct word *words)
{
	return take_name(parser, words[1], "cluster", parser->list->cluster);
}

static int take_epoch(struct list_parser *parser, const struct word *words)
{
	return take_number(parser, words[1], "epoch", 1, LIST_EPOCH_MAX, &parser->list->epoch);
}

static int take_parent(struct list_parser *parser, const struct word *words)
{
	if (text_is(words[1], "none"))
		return 0;
	if (!text_hash(words[1], parser->list->parent))
		return list_refuse(parser, "parent `%.*s`: want 64 lower-case hex digits, or none",
				   (int)words[1].bytes, words[1].text);
	parser->list->has_parent = true;
	return 0;
}

static int take_created(struct list_parser *parser, const struct word *words)
{
	if (!text_time(words[1], parser->list->created))
		return list_refuse(parser,
				   "created `%.*s`: want a real UTC time like "
				   "2026-11-22T10:00:00Z",
				   (int)words[1].bytes, words[1].text);
	return 0;
}

static int take_distribution(struct list_parser *parser, const struct word *words)
{
	uint32_t *count = &parser->list->slot_count;
	int error;

	if (!text_is(words[1], "slots"))
		return list_refuse(parser, "distribution `%.*s`: only `slots` is known",
				   (int)words[1].bytes, words[1].text);
	error = take_number32(parser, words[2], "slots", LIST_SLOTS_MIN, LIST_SLOTS_MAX, count);
	if (error == 0 && (*count & (*count - 1)) != 0)
		return list_refuse(parser, "%" PRIu32 " slots: want a power of two", *count);
	return error;
}

static int take_lease(struct list_parser *parser, const struct word *words)
{
	return take_number32(parser, words[1], "lease", LIST_LEASE_MS_MIN, LIST_TIME_MS_MAX,
			     &parser->list->lease_ms);
}

static int take_steady_lease(struct list_parser *parser, const struct word *words)
{
	struct list *list = parser->list;
	int error = take_number32(parser, words[1], "steady-lease", LIST_LEASE_MS_MIN,
				  LIST_TIME_MS_MAX, &list->steady_lease_ms);

	if (error == 0 && list->steady_lease_ms < list->lease_ms)
		return list_refuse(parser,
				   "steady-lease %" PRIu32 " is below lease %" PRIu32
				   ": it must be at least as long",
				   list->steady_lease_ms, list->lease_ms);
	return error;
}

static int take_op_timeout(struct list_parser *parser, const struct word *words)
{
	struct list *list = parser->list;
	int error = take_number32(parser, words[1], "op-timeout", LIST_OP_TIMEOUT_MS_MIN,
				  LIST_TIME_MS_MAX, &list->op_timeout_ms);

	if (error == 0 && 3 * list->op_timeout_ms >= list->lease_ms)
		return list_refuse(parser,
				   "op-timeout %" PRIu32 " is too long for lease %" PRIu32
				   ": three times it must be less than the lease",
				   list->op_timeout_ms, list->lease_ms);
	return error;
}

static int take_client_quorum(struct list_parser *parser, const struct word *words)
{
	return take_number32(parser, words[1], "client-quorum", 0, 100,
			     &parser->list->client_quorum);
}

static int take_registration(struct list_parser *parser, const struct word *words)
{
	parser->list->registration_required = text_is(words[1], "required");
	if (!parser->list->registration_required && !text_is(words[1], "optional"))
		return list_refuse(parser, "registration `%.*s`: want required or optional",
				   (int)words[1].bytes, words[1].text);
	return 0;
}

static int take_isolation(struct list_parser *parser, const struct word *words)
{
	const bool bypass = text_is(words[1], "bypass");

	if (!bypass && !text_is(words[1], "serve"))
		return list_refuse(parser, "isolation `%.*s`: want serve or bypass",
				   (int)words[1].bytes, words[1].text);
	parser->list->isolation = bypass ? LIST_ISOLATION_BYPASS : LIST_ISOLATION_SERVE;
	return 0;
}

/* Blanks and control characters were refused before the line was cut into words. */
static int take_prefix(struct list_parser *parser, const struct word *words)
{
	if (words[1].bytes > LIST_PREFIX_MAX)
		return list_refuse(parser, "prefix of %zu bytes: at most %u are allowed",
				   words[1].bytes, LIST_PREFIX_MAX);
	memcpy(parser->list->prefix, words[1].text, words[1].bytes);
	parser->list->prefix[words[1].bytes] = '\0';
	return 0;
}

static int take_agent(struct list_parser *parser, const struct word *words)
{
	struct list *list = parser->list;
	struct word key = words[3];
	struct list_agent *agent;
	int error;

	if (list->agent_count == LIST_AGENTS_MAX)
		return list_refuse(parser, "more than %u agents", LIST_AGENTS_MAX);
	agent = grow(list->agents, list->agent_count, &parser->agent_room, sizeof(*agent));
	if (agent == NULL)
		return failure_set(parser->failure, ENOMEM, "no memory for one more agent");
	list->agents = agent;
	if (list->agent_count == 0)
		parser->first_agent_line = parser->line;
	agent += list->agent_count;
	memset(agent, 0, sizeof(*agent));
	error = take_name(parser, words[1], "agent", agent->name);
	if (error == 0)
		error = take_address(parser, words[2], "agent address", agent->address);
	if (error != 0)
		return error;
	/* All zero is no key at all: it must never be what somebody authenticates as. */
	if (!text_option(&key, "key=") || !text_key(key, agent->key) ||
	    sodium_is_zero(agent->key, sizeof(agent->key)))
		return list_refuse(
		    parser,
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
			return list_refuse(
			    parser,
			    "agent `%s` has the %s of the agent `%s` at line %" PRIu32
			    ": each must be its own",
			    agent->name, same, other->name, parser->first_agent_line + i);
	}
	list->agent_count++;
	return 0;
}

static int take_coordinator(struct list_parser *parser, const struct word *words)
{
	return take_agent_name(parser, words[1], "coordinator", &parser->list->coordinator);
}

/* Identity is name and address together, so neither may stand twice; and an agent's port is not a
 * memcached's. */
static int server_unique(struct list_parser *parser, const struct list_server *server)
{
	const struct list *list = parser->list;

	for (uint32_t i = 0; i < list->server_count; i++) {
		const struct list_server *other = &list->servers[i];
		const char *same = strcmp(other->name, server->name) == 0	  ? "name"
				   : strcmp(other->address, server->address) == 0 ? "address"
										  : NULL;

		if (same != NULL)
			return list_refuse(
			    parser,
			    "server `%s` at %s has the %s of the server `%s` at line "
			    "%" PRIu32 ": each must be its own",
			    server->name, server->address, same, other->name,
			    parser->first_server_line + i);
	}
	for (uint32_t i = 0; i < list->agent_count; i++)
		if (strcmp(list->agents[i].address, server->address) == 0)
			return list_refuse(parser,
					   "server `%s` at %s has the address of agent `%s`",
					   server->name, server->address, list->agents[i].name);
	return 0;
}

static int take_server(struct list_parser *parser, const struct word *words)
{
	struct list *list = parser->list;
	struct word weight = words[3], agent = words[4], wipe = words[5];
	struct list_server *server;
	int error;

	if (list->server_count == LIST_SERVERS_MAX)
		return list_refuse(parser, "more than %u servers", LIST_SERVERS_MAX);
	server = grow(list->servers, list->server_count, &parser->server_room, sizeof(*server));
	if (server == NULL)
		return failure_set(parser->failure, ENOMEM, "no memory for one more server");
	list->servers = server;
	if (list->server_count == 0)
		parser->first_server_line = parser->line;
	server += list->server_count;
	memset(server, 0, sizeof(*server));
	error = take_name(parser, words[1], "server", server->name);
	if (error == 0)
		error = take_address(parser, words[2], "server address", server->address);
	if (error != 0)
		return error;
	if (!text_option(&weight, "weight=") || !text_option(&agent, "agent=") ||
	    (parser->word_count == 6 && !text_option(&wipe, "wipe=")))
		return list_refuse(parser,
				   "server `%s`: after its address want weight=W agent=NAME and, "
				   "where items may be wiped, wipe=N, in this order",
				   server->name);
	error = take_number32(parser, weight, "weight", 1, LIST_WEIGHT_MAX, &server->weight);
	if (error == 0)
		error = take_agent_name(parser, agent, "the server's agent", &server->agent);
	if (error == 0 && parser->word_count == 6) {
		server->has_wipe = true;
		error = take_number(parser, wipe, "wipe", 0, LIST_WIPE_MAX, &server->wipe);
	}
	if (error == 0)
		error = server_unique(parser, server);
	if (error == 0)
		list->server_count++;
	return error;
}

static int take_slots(struct list_parser *parser, const struct word *words)
{
	struct list *list = parser->list;
	const size_t bytes = list->slot_count * SLOT_BYTES;
	uint8_t *table = malloc(bytes);
	int error = 0;

	list->slots = calloc(list->slot_count, sizeof(*list->slots));
	if (table == NULL || list->slots == NULL) {
		error = failure_set(parser->failure, ENOMEM, "no memory for %" PRIu32 " slots",
				    list->slot_count);
	} else if (document_base64_decode(words[1].text, words[1].bytes, table, bytes) != 0) {
		error = list_refuse(parser,
				    "slots: want %zu characters of canonical base64 (%" PRIu32
				    " slots of two bytes), found %zu characters",
				    (bytes + 2) / 3 * 4, list->slot_count, words[1].bytes);
	} else {
		for (uint32_t i = 0; i < list->slot_count && error == 0; i++) {
			list->slots[i] = (uint16_t)(table[2 * i] | table[2 * i + 1] << 8);
			if (list->slots[i] >= list->server_count)
				error =
				    list_refuse(parser,
						"slot %" PRIu32 " names server number %u: the list "
						"has %" PRIu32 " servers, numbered from 0",
						i, list->slots[i], list->server_count);
		}
	}
	free(table);
	return error;
}

const struct list_step list_steps[] = {
    {"mcroster-list", "mcroster-list 1", 2, 2, false, false, take_magic},
    {"cluster", "cluster NAME", 2, 2, false, false, take_cluster},
    {"epoch", "epoch N", 2, 2, false, false, take_epoch},
    {"parent", "parent HASH|none", 2, 2, false, false, take_parent},
    {"created", "created TIME", 2, 2, false, false, take_created},
    {"distribution", "distribution slots N", 3, 3, false, false, take_distribution},
    {"lease", "lease MS", 2, 2, false, false, take_lease},
    {"steady-lease", "steady-lease MS", 2, 2, false, false, take_steady_lease},
    {"op-timeout", "op-timeout MS", 2, 2, false, false, take_op_timeout},
    {"client-quorum", "client-quorum PERCENT", 2, 2, false, false, take_client_quorum},
    {"registration", "registration required|optional", 2, 2, false, false, take_registration},
    {"isolation", "isolation serve|bypass", 2, 2, false, false, take_isolation},
    {"prefix", "prefix STRING", 2, 2, true, false, take_prefix},
    {"agent", "agent NAME ADDRESS key=KEY", 4, 4, false, true, take_agent},
    {"coordinator", "coordinator NAME", 2, 2, false, false, take_coordinator},
    {"server", "server NAME ADDRESS weight=W agent=NAME [wipe=N]", 5, 6, false, true, take_server},
    {"slots", "slots BASE64", 2, 2, false, false, take_slots},
};

const uint32_t list_step_count = sizeof(list_steps) / sizeof(list_steps[0]);
