/* command_route.c - mcadmin route: which server owns a key.
 *
 * By default it asks the segment through libmcroster, as a client does, so that it says what
 * clients do; with --list it reads a list, so that a change can be looked at before it is made.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/conf_rules.h"
#include "admin/human.h"
#include "admin/json.h"
#include "admin/list_source.h"
#include "admin/table.h"
#include "hash.h"
#include "list/change.h"
#include "mcroster.h"

#define ROUTE_TRIES 100u /* generations that may change under our hands */

static const char usage[] =
    "Usage: mcadmin route KEY... (--cluster NAME | --segment NAME | --list LIST)\n"
    "                     [--json]\n"
    "\n"
    "Shows which server owns each key; while a change runs, before and after it.\n"
    "\n"
    "      --cluster NAME   as clients here see it, in the segment /mcroster.NAME\n"
    "      --segment NAME   the same in another segment (a name that begins with '/')\n"
    "      --list LIST      as a list says\n"
    "      --json           as one JSON array\n"
    "  -h, --help           this text\n"
    "\n"
    "A key that begins with '-' follows '--'.\n";

static const struct option option_table[] = {
    {"cluster", required_argument, NULL, 'c'}, {"segment", required_argument, NULL, 's'},
    {"list", required_argument, NULL, 'l'},    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},	       {NULL, 0, NULL, 0},
};

struct route {
	const char *key;
	bool covered;		   /* begins with the list's prefix */
	uint32_t slot, slot_count; /* of a list without slots 0 */
	char owner[LIST_NAME_MAX + 1], owner_address[LIST_ADDRESS_MAX + 1];
	char next[LIST_NAME_MAX + 1],
	    next_address[LIST_ADDRESS_MAX + 1]; /* the same when it stays */
};

struct route_options {
	const char *cluster, *segment, *list;
	bool json;
	struct route *routes;
	uint32_t route_count;
};

static bool key_valid(const char *key)
{
	size_t length = strlen(key);

	for (const char *c = key; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	return length >= 1 && length <= MCR_KEY_MAX;
}

static void route_slot(struct route *route, uint32_t slot_count)
{
	route->slot_count = slot_count;
	if (slot_count == 0)
		return;
	route->slot = mcr_hash_slot(mcr_hash(route->key, strlen(route->key)),
				    (unsigned)__builtin_ctz(slot_count));
}

static int routes_from_list(struct route_options *options, struct failure *failure)
{
	struct change *change = NULL;
	struct list *list;
	int error = list_source_file(options->list, NULL, &list, failure);

	if (error < 0)
		return error;
	error = change_new(list, NULL, &change, failure);
	for (uint32_t i = 0; error == 0 && i < options->route_count; i++) {
		struct route *route = &options->routes[i];
		const struct change_server *server;
		uint32_t owner, same;

		route->covered = list_key_covered(list, route->key, strlen(route->key));
		if (!route->covered)
			continue;
		route_slot(route, list->slot_count);
		change_key_owners(change, route->key, strlen(route->key), &owner, &same);
		server = &change->servers[owner];
		memcpy(route->owner, server->name, sizeof(route->owner));
		memcpy(route->owner_address, server->address, sizeof(route->owner_address));
		memcpy(route->next, server->name, sizeof(route->next));
		memcpy(route->next_address, server->address, sizeof(route->next_address));
	}
	change_free(change);
	list_free(list);
	return error;
}

static void server_copy(const struct mcr_server *server, char name[LIST_NAME_MAX + 1],
			char address[LIST_ADDRESS_MAX + 1])
{
	(void)snprintf(name, LIST_NAME_MAX + 1, "%s", server->name);
	(void)snprintf(address, LIST_ADDRESS_MAX + 1, "%s", server->address);
	(void)human_clean(name);
	(void)human_clean(address);
}

/* All keys by one generation; MCR_STALE when it was replaced meanwhile. */
static int routes_read(struct route_options *options, struct mcr *mcr, struct mcr_reader *reader,
		       struct mcr_server *servers, uint32_t capacity)
{
	struct mcr_info info, after;
	int count = mcr_servers(reader, &info, servers, capacity);

	if (count < 0)
		return count;
	for (uint32_t i = 0; i < options->route_count; i++) {
		struct route *route = &options->routes[i];
		uint32_t old_owner, new_owner;
		int error =
		    mcr_owner(reader, route->key, strlen(route->key), &old_owner, &new_owner);

		route->covered = error != MCR_NOT_COVERED;
		if (!route->covered)
			continue;
		if (error < 0)
			return error;
		if (old_owner >= (uint32_t)count || new_owner >= (uint32_t)count)
			return MCR_STALE;
		route_slot(route, info.slot_count);
		server_copy(&servers[old_owner], route->owner, route->owner_address);
		server_copy(&servers[new_owner], route->next, route->next_address);
	}
	if (mcr_info(mcr, &after) < 0 || after.generation != info.generation)
		return MCR_STALE;
	return 0;
}

static int routes_from_segment(struct route_options *options, struct failure *failure)
{
	const char *name = options->segment != NULL ? options->segment : options->cluster;
	const uint32_t capacity = LIST_SERVERS_MAX * 2; /* of two lists */
	struct mcr *mcr = NULL;
	struct mcr_reader *reader = NULL;
	struct mcr_server *servers = calloc(capacity, sizeof(*servers));
	int result = servers == NULL ? MCR_NO_MEMORY : mcr_open(name, MCR_OBSERVE, &mcr);

	if (result == MCR_OK)
		result = mcr_reader_new(mcr, &reader);
	if (result == MCR_OK) {
		result = MCR_STALE;
		for (uint32_t i = 0; i < ROUTE_TRIES && result == MCR_STALE; i++)
			result = routes_read(options, mcr, reader, servers, capacity);
	}
	mcr_reader_free(reader);
	if (mcr != NULL)
		mcr_close(mcr);
	free(servers);
	if (result < 0)
		return failure_set(failure, result == MCR_NO_SEGMENT ? ENOENT : EIO,
				   "segment of %s: %s", name, mcr_strerror(result));
	return 0;
}

static void json_print(const struct route_options *options)
{
	struct json json;

	json_begin(&json, stdout);
	json_array_open(&json, NULL);
	for (uint32_t i = 0; i < options->route_count; i++) {
		const struct route *route = &options->routes[i];

		json_object_open(&json, NULL);
		json_string(&json, "key", route->key);
		json_bool(&json, "covered", route->covered);
		if (route->covered) {
			if (route->slot_count != 0)
				json_unsigned(&json, "slot", route->slot);
			json_string(&json, "server", route->owner);
			json_string(&json, "address", route->owner_address);
			json_string(&json, "next_server", route->next);
			json_string(&json, "next_address", route->next_address);
		}
		json_object_close(&json);
	}
	json_array_close(&json);
	json_end(&json);
}

static bool moves(const struct route *route)
{
	return strcmp(route->owner, route->next) != 0 ||
	       strcmp(route->owner_address, route->next_address) != 0;
}

static void slot_cell(struct table *table, const struct route *route)
{
	if (route->slot_count != 0)
		table_cell(table, "%" PRIu32, route->slot);
	else
		table_cell(table, "-");
}

static void route_print(const struct route *route, struct table *table)
{
	char key[MCR_KEY_MAX + 1];

	(void)snprintf(key, sizeof(key), "%s", route->key);
	table_cell(table, "%s", human_clean(key));
	if (!route->covered) {
		table_cell(table, "-");
		table_cell(table, "-");
		table_cell(table, "not one of the list's keys: it lacks its prefix");
	} else if (moves(route)) {
		slot_cell(table, route);
		table_cell(table, "%s -> %s", route->owner, route->next);
		table_cell(table, "%s -> %s", route->owner_address, route->next_address);
	} else {
		slot_cell(table, route);
		table_cell(table, "%s", route->owner);
		table_cell(table, "%s", route->owner_address);
	}
}

static int text_print(const struct route_options *options, struct failure *failure)
{
	static const char *const headings[] = {"key", ">slot", "server", "address"};
	struct table *table = table_new(headings, 4);
	int error = -ENOMEM;

	if (table != NULL) {
		for (uint32_t i = 0; i < options->route_count; i++)
			route_print(&options->routes[i], table);
		error = table_print(table, "", stdout);
	}
	table_free(table);
	return error < 0 ? failure_set(failure, -error, "no memory to print the routes") : 0;
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct route_options *options)
{
	int option;

	while ((option = getopt_long(argc, argv, "h", option_table, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->cluster = optarg;
			break;
		case 's':
			options->segment = optarg;
			break;
		case 'l':
			options->list = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (optind == argc)
		return admin_usage(argv[0], "a KEY is missing");
	if ((options->cluster != NULL) + (options->segment != NULL) + (options->list != NULL) != 1)
		return admin_usage(argv[0], "one of --cluster, --segment and --list is wanted");
	if (options->cluster != NULL && !conf_name_valid(options->cluster))
		return admin_usage(argv[0], "--cluster '%s' is not a cluster's name",
				   options->cluster);
	if (options->segment != NULL && options->segment[0] != '/')
		return admin_usage(argv[0], "--segment '%s': a segment's name begins with '/'",
				   options->segment);
	for (int i = optind; i < argc; i++)
		if (!key_valid(argv[i]))
			return admin_usage(argv[0],
					   "KEY number %d: a key has 1 to %u bytes, none of them a "
					   "blank or a control character",
					   i - optind + 1, MCR_KEY_MAX);
	return -1;
}

static int run(int argc, char **argv)
{
	struct route_options options = {0};
	struct failure failure;
	int error, code = options_read(argc, argv, &options);

	if (code >= 0)
		return code;
	options.route_count = (uint32_t)(argc - optind);
	options.routes = calloc(options.route_count, sizeof(*options.routes));
	if (options.routes == NULL) {
		error = failure_set(&failure, ENOMEM, "no memory for %u keys", options.route_count);
		return admin_fail(argv[0], error, &failure);
	}
	for (uint32_t i = 0; i < options.route_count; i++)
		options.routes[i].key = argv[optind + (int)i];
	error = options.list != NULL ? routes_from_list(&options, &failure)
				     : routes_from_segment(&options, &failure);
	if (error == 0 && options.json)
		json_print(&options);
	else if (error == 0)
		error = text_print(&options, &failure);
	free(options.routes);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_route = {
    .name = "route",
    .run = run,
    .group = GROUP_WATCH,
    .summary = "Show which server owns a key",
    .usage = usage,
    .options = option_table,
};
