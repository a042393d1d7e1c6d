/* order_plan.c - see order_plan.h.  The rules are those of the coordinator (agent/core) and some
 * that only save an operator from what would help nothing. */
#include "admin/order_plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/human.h"

/* ---- whom it is for ---- */

/* "NAME" or "NAME@ADDRESS". */
static bool is_named(const char *wanted, const char *name, const char *address)
{
	const size_t length = strlen(name);

	return strncmp(wanted, name, length) == 0 &&
	       (wanted[length] == '\0' ||
		(wanted[length] == '@' && strcmp(wanted + length + 1, address) == 0));
}

static int several(const char *wanted, const char *address, const char *other,
		   struct failure *failure)
{
	return failure_set(failure, EINVAL,
			   "'%s' is the name of two in this change, say %s@%s or %s@%s", wanted,
			   wanted, address, wanted, other);
}

static int server_find(const struct change *change, const char *wanted, uint32_t *number,
		       struct failure *failure)
{
	int found = -1;

	for (uint32_t i = 0; i < change->server_count; i++) {
		const struct change_server *server = &change->servers[i];

		if (!is_named(wanted, server->name, server->address))
			continue;
		if (found >= 0)
			return several(wanted, change->servers[found].address, server->address,
				       failure);
		found = (int)i;
	}
	if (found < 0)
		return failure_set(failure, EINVAL,
				   "no server '%s' in the active or the pending list", wanted);
	*number = (uint32_t)found;
	return 0;
}

/* An agent has one address in a change; which one the order names must be in one of the lists. */
static int agent_find(const struct change *change, const char *wanted, uint32_t *number,
		      struct failure *failure)
{
	for (uint32_t i = 0; i < change->agent_count; i++) {
		if (!is_named(wanted, change->agents[i].name, change->agents[i].address))
			continue;
		*number = i;
		return 0;
	}
	return failure_set(failure, EINVAL, "no agent '%s' in the active or the pending list",
			   wanted);
}

/* ---- whether it makes sense ---- */

/* Abort, giveup and excuse are steps of the register that the coordinator has. */
static int change_check(const struct order_scene *scene, enum order_kind kind,
			struct failure *failure)
{
	const struct status *status = scene->status;

	if (scene->pending == NULL)
		return failure_set(
		    failure, EINVAL, "no change is under way: epoch %" PRIu64 " is settled%s",
		    scene->active->epoch,
		    kind == ORDER_GIVEUP ? "; 'mcadmin plan --giveup' makes the list without it"
					 : "");
	if (!status->cluster_view)
		return failure_set(failure, EAGAIN,
				   "agent %s does not reach the coordinator %s, whose register "
				   "the order is for: ask another agent, or fail over",
				   status->agent,
				   status->coordinator[0] == '\0' ? "(not known)"
								  : status->coordinator);
	if (status->aborting && kind != ORDER_GIVEUP)
		return failure_set(failure, EEXIST,
				   "the change to epoch %" PRIu64 " is being undone already",
				   scene->pending->epoch);
	return 0;
}

static int abort_check(const struct order_scene *scene, struct failure *failure)
{
	const enum phase phase = scene->binding.phase;

	if (phase == PHASE_UNWIND || phase == PHASE_BACK || phase == PHASE_CLEAN)
		return failure_set(failure, EEXIST,
				   "the change to epoch %" PRIu64 " is being undone already, "
				   "it is in %s",
				   scene->pending->epoch, phase_name(phase));
	if (phase != PHASE_PREPARE && phase != PHASE_COPY)
		return failure_set(failure, EINVAL,
				   "the change to epoch %" PRIu64 " is in %s: only PREPARE "
				   "and COPY can be undone; later, going back is a new change",
				   scene->pending->epoch, phase_name(phase));
	return 0;
}

static int giveup_check(const struct order_scene *scene, uint32_t number, struct failure *failure)
{
	const struct change_server *server = &scene->change->servers[number];

	if (status_names(scene->status->given_up, server->name))
		return failure_set(failure, EEXIST, "server %s is given up already", server->name);
	if (server->gained == 0 && server->lost == 0)
		return failure_set(failure, EINVAL,
				   "server %s neither gains nor loses keys in this change: "
				   "nothing waits for it",
				   server->name);
	if (server->gained > 0 && scene->binding.phase == PHASE_PREPARE)
		return failure_set(failure, EINVAL,
				   "server %s is to gain keys and has not been sanitised: "
				   "abort the change instead",
				   server->name);
	return 0;
}

static int excuse_check(const struct order_scene *scene, uint32_t number, struct failure *failure)
{
	const struct change_agent *agent = &scene->change->agents[number];
	const struct status_host *host = status_host_find(scene->status, agent->name);

	if (scene->binding.phase != PHASE_PREPARE)
		return failure_set(failure, EINVAL,
				   "the change is in %s, which waits for no agent longer "
				   "than its lease; only PREPARE does",
				   phase_name(scene->binding.phase));
	if (status_names(scene->status->excused, agent->name))
		return failure_set(failure, EEXIST, "agent %s is excused already", agent->name);
	if (host != NULL && host->lease_left_ms >= 0 && host->term == scene->binding.term &&
	    host->serial == scene->binding.serial)
		return failure_set(failure, EINVAL,
				   "agent %s has adopted PREPARE: nothing waits for that",
				   agent->name);
	return 0;
}

/* A term that an order has named is used up, whether it began or not. */
static uint64_t newest_term(const struct status *status)
{
	return status->failover_agent[0] != '\0' && status->failover_term > status->term
		   ? status->failover_term
		   : status->term;
}

static int failover_check(const struct order_scene *scene, uint64_t term, struct failure *failure)
{
	const struct status *status = scene->status;

	if (order_scene_led(scene))
		return failure_set(failure, EINVAL,
				   "the coordinator %s is there and grants leases; another "
				   "one is named by the next list",
				   status->coordinator);
	if (term <= status->term)
		return failure_set(failure, ESTALE,
				   "term %" PRIu64 " is not after term %" PRIu64
				   ", which agent %s knows",
				   term, status->term, status->agent);
	if (status->failover_agent[0] != '\0' && status->failover_term >= term)
		return failure_set(failure, EEXIST,
				   "agent %s is to coordinate from term %" PRIu64
				   " on by an order that agent %s keeps: if it is gone too, "
				   "--term %" PRIu64,
				   status->failover_agent, status->failover_term, status->agent,
				   status->failover_term + 1);
	if (term - 1 != newest_term(status))
		return failure_set(failure, ESTALE,
				   "term %" PRIu64 " does not follow term %" PRIu64
				   ", the newest that agent %s knows: ask an agent that knows more",
				   term, newest_term(status), status->agent);
	return 0;
}

/* ---- the order itself ---- */

struct draft {
	const struct order_scene *scene;
	struct order order; /* targets owned */
	struct failure *failure;
};

static int target_add(struct draft *draft, const char *name, const char *address)
{
	struct order *order = &draft->order;

	for (uint32_t i = 0; i < order->target_count; i++)
		if (strcmp(order->targets[i].name, name) == 0)
			return failure_set(draft->failure, EINVAL, "'%s' is named twice", name);
	(void)snprintf(order->targets[order->target_count].name, LIST_NAME_MAX + 1, "%s", name);
	(void)snprintf(order->targets[order->target_count].address, LIST_ADDRESS_MAX + 1, "%s",
		       address);
	order->target_count++;
	return 0;
}

static int target_take(struct draft *draft, const char *wanted)
{
	const struct order_scene *scene = draft->scene;
	const struct change *change = scene->change;
	const enum order_kind kind = draft->order.kind;
	uint32_t number = 0;
	int error;

	if (kind == ORDER_GIVEUP) {
		error = server_find(change, wanted, &number, draft->failure);
		if (error == 0)
			error = giveup_check(scene, number, draft->failure);
		return error < 0 ? error
				 : target_add(draft, change->servers[number].name,
					      change->servers[number].address);
	}
	error = agent_find(change, wanted, &number, draft->failure);
	if (error == 0 && kind == ORDER_EXCUSE)
		error = excuse_check(scene, number, draft->failure);
	return error < 0
		   ? error
		   : target_add(draft, change->agents[number].name, change->agents[number].address);
}

/* Written, read again and put to the rules that the agents will ask. */
static int order_finish(const struct draft *draft, struct order **order)
{
	const struct order_scene *scene = draft->scene;
	struct order_binding now;
	struct order *made = NULL;
	void *body = NULL;
	size_t body_bytes;
	int error = order_write(&draft->order, &body, &body_bytes, draft->failure);

	if (error == 0)
		error = order_parse(body, body_bytes, &made, draft->failure);
	now = scene->binding;
	if (draft->order.kind == ORDER_FAILOVER)
		now.term = newest_term(scene->status);
	if (error == 0)
		error = order_is_for(made, &now, draft->failure);
	if (error == 0)
		error = order_targets_check(made, scene->active, scene->pending, draft->failure);
	free(body);
	if (error < 0) {
		order_free(made);
		return error;
	}
	*order = made;
	return 0;
}

static int scene_check(struct draft *draft, uint64_t term)
{
	struct order_binding *binding = &draft->order.binding;
	int error;

	if (draft->order.kind != ORDER_FAILOVER) {
		error = change_check(draft->scene, draft->order.kind, draft->failure);
		if (error == 0 && draft->order.kind == ORDER_ABORT)
			error = abort_check(draft->scene, draft->failure);
		return error;
	}
	if (term == 0 && draft->scene->status->failover_agent[0] != '\0' &&
	    draft->scene->status->failover_term > binding->term)
		return failover_check(draft->scene, binding->term + 1, draft->failure);
	binding->term = term != 0 ? term : binding->term + 1;
	binding->serial = 0;
	binding->has_phase = false;
	return failover_check(draft->scene, binding->term, draft->failure);
}

int order_plan(const struct order_scene *scene, enum order_kind kind, char *const *names,
	       uint32_t count, uint64_t term, struct order **order, struct failure *failure)
{
	struct draft draft = {.scene = scene, .failure = failure};
	int error;

	draft.order.kind = kind;
	draft.order.binding = scene->binding;
	(void)snprintf(draft.order.cluster, sizeof(draft.order.cluster), "%s",
		       scene->active->cluster);
	human_now(draft.order.created);
	draft.order.targets = calloc(count == 0 ? 1 : count, sizeof(*draft.order.targets));
	if (draft.order.targets == NULL)
		return failure_set(failure, ENOMEM, "no memory for an order");
	error = scene_check(&draft, term);
	for (uint32_t i = 0; error == 0 && i < count; i++)
		error = target_take(&draft, names[i]);
	if (error == 0)
		error = order_finish(&draft, order);
	free(draft.order.targets);
	return error;
}
