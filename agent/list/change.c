/* change.c - see change.h.
 *
 * Every server number in the two owner tables is an index into one array, built here once; so a
 * slot moves exactly where the two numbers differ.
 */
#include "list/change.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "list/slots.h"

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

static void slots_compare(struct change *change)
{
	for (uint32_t i = 0; i < change->slot_count; i++) {
		struct change_server *from = &change->servers[change->old_owner[i]];
		struct change_server *to = &change->servers[change->new_owner[i]];

		from->old_slots++;
		to->new_slots++;
		if (from == to)
			continue;
		from->lost++;
		to->gained++;
		change->moved++;
	}
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
	change->slot_count = larger(active->slot_count, next->slot_count);
	change->lease_ms = larger(active->lease_ms, next->lease_ms);
	change->steady_lease_ms = larger(active->steady_lease_ms, next->steady_lease_ms);
	change->op_timeout_ms = larger(active->op_timeout_ms, next->op_timeout_ms);
	change->bypass = active->isolation == LIST_ISOLATION_BYPASS ||
			 next->isolation == LIST_ISOLATION_BYPASS;
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
		slots_widen(active->slots, active->slot_count, change->old_owner,
			    change->slot_count);
		if (next != active) {
			slots_widen(next->slots, next->slot_count, change->new_owner,
				    change->slot_count);
			for (uint32_t i = 0; i < change->slot_count; i++)
				change->new_owner[i] = (uint16_t)numbers[change->new_owner[i]];
		}
		slots_compare(change);
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
	made->old_owner = calloc(made->slot_count, sizeof(*made->old_owner));
	made->new_owner =
	    next == active ? made->old_owner : calloc(made->slot_count, sizeof(*made->new_owner));
	if (made->servers == NULL || made->agents == NULL || made->old_owner == NULL ||
	    made->new_owner == NULL)
		error = failure_set(failure, ENOMEM, "no memory for %" PRIu32 " slots",
				    made->slot_count);
	else
		error = change_fill(made, active, next, failure);
	if (error != 0) {
		change_free(made);
		return error;
	}
	*change = made;
	return 0;
}

void change_free(struct change *change)
{
	if (change == NULL)
		return;
	if (change->new_owner != change->old_owner)
		free(change->new_owner);
	free(change->old_owner);
	free(change->servers);
	free(change->agents);
	free(change);
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
	const unsigned bits = (unsigned)__builtin_ctz(change->slot_count);
	const uint32_t slot = mcr_hash_slot(mcr_hash(key, key_bytes), bits);

	*old_owner = change->old_owner[slot];
	*new_owner = change->new_owner[slot];
}
