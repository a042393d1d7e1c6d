/* order.c - what is asked of an order that is already parsed, and the way in for a signed one.
 *
 * A struct order is immutable, so everything here may be called from any thread.
 */
#include "list/order.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define HEX_CHARS (2 * LIST_HASH_BYTES)

const char *order_kind_name(enum order_kind kind)
{
	static const char *const names[ORDER_KIND_COUNT] = {
	    [ORDER_ABORT] = "abort",
	    [ORDER_GIVEUP] = "giveup",
	    [ORDER_EXCUSE] = "excuse",
	    [ORDER_FAILOVER] = "failover",
	};

	return (unsigned)kind < ORDER_KIND_COUNT ? names[kind] : "unknown";
}

int order_open(const void *document, size_t document_bytes, const struct trust *trust,
	       const char *cluster, struct order **order, struct failure *failure)
{
	struct order *opened = NULL;
	size_t body_bytes = 0;
	int error = document_verify(document, document_bytes, trust, &body_bytes, failure);

	if (error == 0)
		error = order_parse(document, document_bytes, &opened, failure);
	if (error != 0)
		return error;
	if (strcmp(opened->cluster, cluster) != 0) {
		error = failure_set(failure, EINVAL,
				    "the order is for cluster `%s`, this is cluster `%s`",
				    opened->cluster, cluster);
		order_free(opened);
		return error;
	}
	*order = opened;
	return 0;
}

void order_free(struct order *order)
{
	if (order == NULL)
		return;
	free(order->targets);
	free(order->document);
	free(order);
}

static int hash_check(const struct order *order, const char *what, const uint8_t *bound,
		      const uint8_t *now, struct failure *failure)
{
	char bound_hex[HEX_CHARS + 1] = "none", now_hex[HEX_CHARS + 1] = "none";

	if (bound == NULL && now == NULL)
		return 0;
	if (bound != NULL && now != NULL && memcmp(bound, now, LIST_HASH_BYTES) == 0)
		return 0;
	if (bound != NULL)
		(void)sodium_bin2hex(bound_hex, sizeof(bound_hex), bound, LIST_HASH_BYTES);
	if (now != NULL)
		(void)sodium_bin2hex(now_hex, sizeof(now_hex), now, LIST_HASH_BYTES);
	return failure_set(failure, ESTALE, "the %s order is for %s list %s, the register's is %s",
			   order_kind_name(order->kind), what, bound_hex, now_hex);
}

static int lists_check(const struct order *order, const struct order_binding *now,
		       struct failure *failure)
{
	const struct order_binding *bound = &order->binding;
	int error = hash_check(order, "active", bound->active, now->active, failure);

	if (error == 0)
		error = hash_check(order, "pending", bound->has_pending ? bound->pending : NULL,
				   now->has_pending ? now->pending : NULL, failure);
	return error;
}

static int failover_check(const struct order *order, const struct order_binding *now,
			  struct failure *failure)
{
	const uint64_t term = order->binding.term;

	/* Not now->term + 1: that number comes from outside and could be the greatest one. */
	if (term - 1 != now->term)
		return failure_set(failure, ESTALE,
				   "the failover order is for term %" PRIu64
				   ", the register's term is %" PRIu64
				   ": it is valid for the next term only",
				   term, now->term);
	return lists_check(order, now, failure);
}

int order_is_for(const struct order *order, const struct order_binding *now,
		 struct failure *failure)
{
	const struct order_binding *bound = &order->binding;
	const char *name = order_kind_name(order->kind);
	int error;

	if (order->kind == ORDER_FAILOVER)
		return failover_check(order, now, failure);
	if (bound->term != now->term)
		return failure_set(failure, ESTALE,
				   "the %s order is for term %" PRIu64
				   ", the register's term is %" PRIu64
				   ": an order is valid for one term and serial only",
				   name, bound->term, now->term);
	if (bound->serial != now->serial)
		return failure_set(failure, ESTALE,
				   "the %s order is for serial %" PRIu64
				   ", the register's serial is %" PRIu64
				   ": an order is valid for one term and serial only",
				   name, bound->serial, now->serial);
	error = lists_check(order, now, failure);
	if (error == 0 && (!bound->has_phase || !now->has_phase || bound->phase != now->phase))
		return failure_set(failure, ESTALE,
				   "the %s order is for phase %s, the register's phase is %s", name,
				   bound->has_phase ? phase_name(bound->phase) : "none",
				   now->has_phase ? phase_name(now->phase) : "none");
	return error;
}

static bool has_server(const struct list *list, const struct list_identity *target)
{
	const int at = list == NULL ? -1 : list_server_find(list, target->name);

	return at >= 0 && strcmp(list->servers[at].address, target->address) == 0;
}

static bool has_agent(const struct list *list, const struct list_identity *target)
{
	const int at = list == NULL ? -1 : list_agent_find(list, target->name);

	return at >= 0 && strcmp(list->agents[at].address, target->address) == 0;
}

int order_targets_check(const struct order *order, const struct list *active,
			const struct list *pending, struct failure *failure)
{
	const bool servers = order->kind == ORDER_GIVEUP;

	for (uint32_t i = 0; i < order->target_count; i++) {
		const struct list_identity *target = &order->targets[i];
		const bool known = servers
				       ? has_server(active, target) || has_server(pending, target)
				       : has_agent(active, target) || has_agent(pending, target);

		if (!known)
			return failure_set(failure, EINVAL,
					   "%s `%s` at %s: no %s of the active or the pending list "
					   "has this name and address",
					   order_kind_name(order->kind), target->name,
					   target->address, servers ? "server" : "agent");
	}
	return 0;
}
