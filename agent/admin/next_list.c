/* next_list.c - see next_list.h.  The same conf and parent give the same list, the date aside. */
#include "admin/next_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/human.h"
#include "list/slots.h"

/* A list being made; the arrays are ours. */
struct draft {
	struct list list;
	uint32_t *weights; /* of its servers */
	struct failure *failure;
};

static bool server_same(const struct list_server *a, const struct list_server *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->address, b->address) == 0;
}

static int server_find(const struct list *list, const struct list_server *server)
{
	for (uint32_t i = 0; i < list->server_count; i++)
		if (server_same(&list->servers[i], server))
			return (int)i;
	return -1;
}

/* Those of the parent first, so that a reordered file is no change. */
static void agents_order(struct draft *draft, const struct list *wanted, const struct list *parent)
{
	struct list *list = &draft->list;

	for (uint32_t i = 0; parent != NULL && i < parent->agent_count; i++) {
		int at = list_agent_find(wanted, parent->agents[i].name);

		if (at >= 0)
			list->agents[list->agent_count++] = wanted->agents[at];
	}
	for (uint32_t i = 0; i < wanted->agent_count; i++)
		if (parent == NULL || list_agent_find(parent, wanted->agents[i].name) < 0)
			list->agents[list->agent_count++] = wanted->agents[i];
}

static void server_append(struct draft *draft, const struct list *wanted,
			  const struct list_server *server)
{
	struct list *list = &draft->list;
	const char *agent = wanted->agents[server->agent].name;

	list->servers[list->server_count] = *server;
	list->servers[list->server_count].agent = (uint32_t)list_agent_find(list, agent);
	draft->weights[list->server_count] = server->weight;
	list->server_count++;
}

static void servers_order(struct draft *draft, const struct list *wanted, const struct list *parent)
{
	for (uint32_t i = 0; parent != NULL && i < parent->server_count; i++) {
		int at = server_find(wanted, &parent->servers[i]);

		if (at >= 0)
			server_append(draft, wanted, &wanted->servers[at]);
	}
	for (uint32_t i = 0; i < wanted->server_count; i++)
		if (parent == NULL || server_find(parent, &wanted->servers[i]) < 0)
			server_append(draft, wanted, &wanted->servers[i]);
}

static int slots_allocate(struct list *list, const struct list *parent, struct failure *failure)
{
	if (parent != NULL && list->slot_count < parent->slot_count)
		return failure_set(failure, EINVAL,
				   "slots: %" PRIu32 " are wanted, the parent has %" PRIu32
				   "; the number can only grow",
				   list->slot_count, parent->slot_count);
	list->slots = calloc(list->slot_count, sizeof(*list->slots));
	if (list->slots == NULL)
		return failure_set(failure, ENOMEM, "out of memory for %" PRIu32 " slots",
				   list->slot_count);
	return 0;
}

/* Each slot's present owner by its number in the new list. */
static void slots_inherit(struct list *list, const struct list *parent)
{
	if (parent != NULL)
		slots_widen(parent->slots, parent->slot_count, list->slots, list->slot_count);
	for (uint32_t i = 0; i < list->slot_count; i++) {
		int at = parent == NULL ? -1 : server_find(list, &parent->servers[list->slots[i]]);

		list->slots[i] = at < 0 ? SLOTS_NONE : (uint16_t)at;
	}
}

/* The same servers with the same weights: their slots are as balanced as they were, and doubling
 * their number has to move nothing. */
static bool shares_same(const struct list *list, const struct list *parent)
{
	if (parent == NULL || list->server_count != parent->server_count)
		return false;
	for (uint32_t i = 0; i < list->server_count; i++)
		if (!server_same(&list->servers[i], &parent->servers[i]) ||
		    list->servers[i].weight != parent->servers[i].weight)
			return false;
	return true;
}

/* The table that follows the parent's (NULL: there is none). */
static int slots_fill(struct list *list, const struct list *parent, const uint32_t *weights,
		      struct failure *failure)
{
	int error = slots_allocate(list, parent, failure);

	if (error < 0)
		return error;
	slots_inherit(list, parent);
	if (shares_same(list, parent))
		return 0;
	return slots_plan(list->slots, list->slot_count, weights, list->server_count, failure);
}

static int draft_fill(struct draft *draft, const struct list *wanted, const struct list *parent)
{
	struct list *list = &draft->list;

	*list = *wanted; /* the policy; the arrays are replaced */
	list->agent_count = list->server_count = 0;
	list->slots = NULL;
	list->agents = calloc(wanted->agent_count, sizeof(*list->agents));
	list->servers = calloc(wanted->server_count, sizeof(*list->servers));
	draft->weights = calloc(wanted->server_count, sizeof(*draft->weights));
	if (list->agents == NULL || list->servers == NULL || draft->weights == NULL)
		return failure_set(draft->failure, ENOMEM, "out of memory for %" PRIu32 " servers",
				   wanted->server_count);
	agents_order(draft, wanted, parent);
	servers_order(draft, wanted, parent);
	for (uint32_t i = 0; i < wanted->coordinator_count; i++)
		list->coordinators[i] =
		    (uint32_t)list_agent_find(list, wanted->agents[wanted->coordinators[i]].name);
	list->coordinator =
	    (uint32_t)list_agent_find(list, wanted->agents[wanted->coordinator].name);
	if (list->distribution != DISTRIBUTION_SLOTS)
		return 0;
	/* From another distribution nothing can be kept: its hash has nothing to do with ours. */
	if (parent != NULL && parent->distribution != DISTRIBUTION_SLOTS)
		parent = NULL;
	return slots_fill(list, parent, draft->weights, draft->failure);
}

static void draft_clear(struct draft *draft)
{
	free(draft->list.agents);
	free(draft->list.servers);
	free(draft->list.slots);
	free(draft->weights);
}

int next_list_make(const struct cluster_conf *conf, const struct list *parent, uint64_t epoch,
		   struct list **next, struct failure *failure)
{
	struct draft draft = {.failure = failure};
	struct list *made = NULL;
	void *body = NULL;
	size_t body_bytes;
	int error = draft_fill(&draft, &conf->wanted, parent);

	if (error < 0)
		goto out;
	draft.list.epoch = epoch != 0 ? epoch : parent == NULL ? 1 : parent->epoch + 1;
	draft.list.has_parent = parent != NULL;
	if (parent != NULL)
		memcpy(draft.list.parent, parent->hash, LIST_HASH_BYTES);
	human_now(draft.list.created);
	error = list_write(&draft.list, &body, &body_bytes, failure);
	if (error == 0)
		error = list_parse(body, body_bytes, &made, failure);
	if (error == 0)
		error = list_may_follow(made, parent, 0, failure);
	if (error == 0) {
		*next = made;
		made = NULL;
	}
out:
	free(body);
	list_free(made);
	draft_clear(&draft);
	return error;
}

int next_list_slots(const struct list *list, const struct list *parent, struct list *with_slots,
		    struct failure *failure)
{
	uint32_t *weights = calloc(list->server_count, sizeof(*weights));
	int error;

	if (weights == NULL)
		return failure_set(failure, ENOMEM, "out of memory for %" PRIu32 " servers",
				   list->server_count);
	for (uint32_t i = 0; i < list->server_count; i++)
		weights[i] = list->servers[i].weight;
	*with_slots = *list;
	with_slots->distribution = DISTRIBUTION_SLOTS;
	with_slots->slot_count = LIST_SLOTS_DEFAULT;
	error = slots_fill(with_slots, parent, weights, failure);
	if (error < 0)
		free(with_slots->slots);
	free(weights);
	return error;
}

int next_list_same(const struct list *parent, const struct list *next, bool *same,
		   struct failure *failure)
{
	struct list twin = *next; /* borrows the arrays */
	uint8_t hash[LIST_HASH_BYTES];
	void *body;
	size_t body_bytes;
	int error;

	twin.epoch = parent->epoch;
	twin.has_parent = parent->has_parent;
	memcpy(twin.parent, parent->parent, sizeof(twin.parent));
	memcpy(twin.created, parent->created, sizeof(twin.created));
	/* What the parent gave up was for the change to it alone. */
	/* A server that comes back is a difference by itself. */
	for (uint32_t i = 0; i < parent->giveup_count; i++)
		if (list_server_find(next, parent->giveups[i].name) >= 0) {
			*same = false;
			return 0;
		}
	if (next->giveup_count == 0) {
		twin.giveups = parent->giveups;
		twin.giveup_count = parent->giveup_count;
	}
	error = list_write(&twin, &body, &body_bytes, failure);
	if (error < 0)
		return error;
	document_hash(body, body_bytes, hash);
	free(body);
	*same = memcmp(hash, parent->hash, sizeof(hash)) == 0;
	return 0;
}
