/* change.c - see change.h.
 *
 * Every server number in the two tables is an index into one array, built here once; so a key moves
 * exactly where the two numbers differ.
 */
#include "list/change.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "list/overlap.h"
#include "list/routing.h"

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void server_take(struct change_server *to, const struct list *list, uint32_t index,
			bool is_new)
{
	const struct list_server *from = &list->servers[index];
	const char *agent = list->agents[from->agent].name;

	memcpy(to->name, from->name, sizeof(to->name));
	memcpy(to->address, from->address, sizeof(to->address));
	to->weight = from->weight;
	if (is_new) {
		to->in_new = true;
		memcpy(to->new_agent, agent, sizeof(to->new_agent));
		to->has_wipe = from->has_wipe;
		to->wipe = from->wipe;
	} else {
		to->in_old = true;
		memcpy(to->old_agent, agent, sizeof(to->old_agent));
	}
}

/* Where a server of the new list stands in the union.  The same memcached must never be both source
 * and target, so one address under two names is refused here whoever let it pass before. */
static int server_place(struct change *change, uint32_t old_count, const struct list_server *server,
			uint32_t *number, struct failure *failure)
{
	for (uint32_t i = 0; i < old_count; i++) {
		if (strcmp(change->servers[i].address, server->address) != 0)
			continue;
		if (strcmp(change->servers[i].name, server->name) != 0)
			return failure_set(failure, EINVAL,
					   "server `%s` at %s is `%s` in the list before: a server "
					   "cannot be renamed at one address",
					   server->name, server->address, change->servers[i].name);
		*number = i;
		return 0;
	}
	*number = change->server_count++;
	return 0;
}

static int servers_unite(struct change *change, const struct list *active, const struct list *next,
			 uint32_t *numbers, struct failure *failure)
{
	for (uint32_t i = 0; i < active->server_count; i++)
		server_take(&change->servers[i], active, i, false);
	change->server_count = active->server_count;
	for (uint32_t i = 0; i < next->server_count; i++) {
		int error = server_place(change, active->server_count, &next->servers[i],
					 &numbers[i], failure);

		if (error != 0)
			return error;
		server_take(&change->servers[numbers[i]], next, i, true);
	}
	return 0;
}

static void agents_unite(struct change *change, const struct list *list, bool is_new)
{
	for (uint32_t i = 0; i < list->agent_count; i++) {
		const struct list_agent *from = &list->agents[i];
		const int found = change_agent_find(change, from->name);
		struct change_agent *to =
		    &change->agents[found >= 0 ? (uint32_t)found : change->agent_count++];

		memcpy(to->name, from->name, sizeof(to->name));
		memcpy(to->address, from->address, sizeof(to->address));
		memcpy(to->key, from->key, sizeof(to->key));
		to->in_old |= !is_new;
		to->in_new |= is_new;
	}
}

static void parts_take(void *context, uint32_t old_owner, uint32_t new_owner, uint64_t parts)
{
	struct change *change = context;
	struct change_server *from = &change->servers[old_owner];
	struct change_server *to = &change->servers[new_owner];

	from->old_parts += parts;
	to->new_parts += parts;
	if (from == to)
		return;
	from->lost += parts;
	to->gained += parts;
	change->moved += parts;
}

/* What there is stays more than nothing. */
static void part_scale(uint64_t *part, uint64_t all)
{
	const double scaled = (double)*part / (double)all * (double)CHANGE_PARTS;

	if (*part != 0)
		*part = scaled < 1 ? 1 : (uint64_t)scaled;
}

static void parts_scale(struct change *change)
{
	for (uint32_t i = 0; i < change->server_count; i++) {
		struct change_server *server = &change->servers[i];

		part_scale(&server->old_parts, change->parts);
		part_scale(&server->new_parts, change->parts);
		part_scale(&server->gained, change->parts);
		part_scale(&server->lost, change->parts);
	}
	part_scale(&change->moved, change->parts);
	change->parts = CHANGE_PARTS;
}

static void policy_take(struct change *change, const struct list *active, const struct list *next)
{
	memcpy(change->prefix, active->prefix, sizeof(change->prefix));
	change->old_epoch = active->epoch;
	memcpy(change->old_hash, active->hash, sizeof(change->old_hash));
	if (next != active) {
		change->new_epoch = next->epoch;
		memcpy(change->new_hash, next->hash, sizeof(change->new_hash));
	}
	change->lease_ms = larger(active->lease_ms, next->lease_ms);
	change->steady_lease_ms = larger(active->steady_lease_ms, next->steady_lease_ms);
	change->op_timeout_ms = larger(active->op_timeout_ms, next->op_timeout_ms);
	change->unaware_poll_ms = larger(active->unaware_poll_ms, next->unaware_poll_ms);
	change->bypass =
	    active->isolation == LIST_ISOLATION_BYPASS || next->isolation == LIST_ISOLATION_BYPASS;
}

static int tables_make(struct change *change, const struct list *active, const struct list *next,
		       const uint32_t *numbers, struct failure *failure)
{
	int error = routing_make(active, NULL, next->slot_count, &change->old_table, failure);

	change->new_table = change->old_table;
	if (error == 0 && next != active)
		error =
		    routing_make(next, numbers, active->slot_count, &change->new_table, failure);
	if (error != 0)
		return error;
	error = overlap_count(&change->old_table, &change->new_table, change->server_count,
			      parts_take, change, &change->parts, failure);
	change->in_slots =
	    change->old_table.kind == MCR_TABLE_SLOTS && change->new_table.kind == MCR_TABLE_SLOTS;
	if (error == 0 && !change->in_slots)
		parts_scale(change);
	return error;
}

/* Fills a change whose memory is there; a settled one is the change from a list to itself. */
static int change_fill(struct change *change, const struct list *active, const struct list *next,
		       struct failure *failure)
{
	uint32_t *numbers = calloc(next->server_count, sizeof(*numbers));
	int error;

	if (numbers == NULL)
		return failure_set(failure, ENOMEM, "no memory for %" PRIu32 " servers",
				   next->server_count);
	error = servers_unite(change, active, next, numbers, failure);
	if (error == 0) {
		agents_unite(change, active, false);
		agents_unite(change, next, true);
		error = tables_make(change, active, next, numbers, failure);
	}
	free(numbers);
	return error;
}

int change_new(const struct list *active, const struct list *next, struct change **change,
	       struct failure *failure)
{
	struct change *made;
	int error;

	if (next == NULL)
		next = active;
	if (strcmp(active->cluster, next->cluster) != 0)
		return failure_set(failure, EINVAL, "a list of cluster `%s` after one of `%s`",
				   next->cluster, active->cluster);
	if (strcmp(active->prefix, next->prefix) != 0)
		return failure_set(failure, EINVAL,
				   "prefix `%s` differs from the active list's `%s`: it cannot be "
				   "changed",
				   next->prefix, active->prefix);
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return failure_set(failure, ENOMEM, "no memory for a change");
	policy_take(made, active, next);
	made->servers = calloc(active->server_count + next->server_count, sizeof(*made->servers));
	made->agents = calloc(active->agent_count + next->agent_count, sizeof(*made->agents));
	if (made->servers == NULL || made->agents == NULL)
		error = failure_set(failure, ENOMEM, "no memory for the servers of a change");
	else
		error = change_fill(made, active, next, failure);
	if (error != 0) {
		change_free(made);
		return error;
	}
	*change = made;
	return 0;
}

/* One list has one table, which stands twice. */
static bool tables_same(const struct change *change)
{
	return change->new_table.owner == change->old_table.owner &&
	       change->new_table.point == change->old_table.point;
}

void change_free(struct change *change)
{
	if (change == NULL)
		return;
	if (!tables_same(change))
		routing_free(&change->new_table);
	routing_free(&change->old_table);
	free(change->servers);
	free(change->agents);
	free(change);
}

struct change *change_copy(const struct change *change)
{
	struct change *copy = malloc(sizeof(*copy));
	int error = -ENOMEM;

	if (copy == NULL)
		return NULL;
	*copy = *change;
	copy->agents = NULL;
	copy->agent_count = 0;
	memset(&copy->old_table, 0, sizeof(copy->old_table));
	memset(&copy->new_table, 0, sizeof(copy->new_table));
	copy->servers = calloc(change->server_count, sizeof(*copy->servers));
	if (copy->servers != NULL) {
		memcpy(copy->servers, change->servers,
		       change->server_count * sizeof(*copy->servers));
		error = routing_copy(&change->old_table, &copy->old_table);
	}
	if (error == 0 && tables_same(change))
		copy->new_table = copy->old_table;
	else if (error == 0)
		error = routing_copy(&change->new_table, &copy->new_table);
	if (error == 0)
		return copy;
	change_free(copy);
	return NULL;
}

const char *change_server_agent(const struct change *change, uint32_t server)
{
	const struct change_server *of = &change->servers[server];

	return of->in_new ? of->new_agent : of->old_agent;
}

int change_server_find(const struct change *change, const char *name, const char *address)
{
	for (uint32_t i = 0; i < change->server_count; i++)
		if (strcmp(change->servers[i].name, name) == 0 &&
		    strcmp(change->servers[i].address, address) == 0)
			return (int)i;
	return -1;
}

int change_agent_find(const struct change *change, const char *name)
{
	for (uint32_t i = 0; i < change->agent_count; i++)
		if (strcmp(change->agents[i].name, name) == 0)
			return (int)i;
	return -1;
}

bool change_key_covered(const struct change *change, const void *key, size_t key_bytes)
{
	const size_t prefix_bytes = strlen(change->prefix);

	return key_bytes >= prefix_bytes && memcmp(key, change->prefix, prefix_bytes) == 0;
}

void change_key_owners(const struct change *change, const void *key, size_t key_bytes,
		       uint32_t *old_owner, uint32_t *new_owner)
{
	*old_owner = mcr_table_owner(&change->old_table, key, key_bytes);
	*new_owner =
	    tables_same(change) ? *old_owner : mcr_table_owner(&change->new_table, key, key_bytes);
}
