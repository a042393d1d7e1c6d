/* order.h - orders: what operators command during a change, signed like a list.
 *
 * A document in the same envelope with one canonical text:
 *
 *     mcroster-order 1
 *     cluster NAME
 *     order abort|giveup|excuse|failover
 *     created TIME
 *     active HASH
 *     pending HASH|none
 *     term N
 *     serial N
 *     phase NAME
 *     target NAME ADDRESS                (each of them a line, in ascending order of the names)
 *     signature ...
 *
 * An order is bound to one state of the register, so it cannot be played again in another: active
 * and pending list, term, serial and phase.  A failover is for a register that is gone: it is bound
 * to the lists and to the *next* term, with `serial 0` and `phase none`.  A `struct order` is never
 * changed after it was made; every pointer in it belongs to it.
 */
#ifndef MCROSTER_ORDER_H
#define MCROSTER_ORDER_H

#include "list/list.h"
#include "list/phase.h"

#define ORDER_TARGETS_MAX LIST_SERVERS_MAX

enum order_kind {
	ORDER_ABORT = 0,    /* the change, in PREPARE or COPY; no target */
	ORDER_GIVEUP = 1,   /* servers, while there is a change */
	ORDER_EXCUSE = 2,   /* agents */
	ORDER_FAILOVER = 3, /* the one agent that coordinates from the next term on */
	ORDER_KIND_COUNT
};

/* The state of the register that an order is for, or the one it meets. */
struct order_binding {
	uint8_t active[LIST_HASH_BYTES];
	bool has_pending; /* just where phase is not STEADY */
	uint8_t pending[LIST_HASH_BYTES];
	uint64_t term, serial; /* 1..LIST_EPOCH_MAX; failover: term from 2, serial 0 */
	bool has_phase;	       /* all but failover */
	enum phase phase;
};

struct order {
	char cluster[LIST_NAME_MAX + 1];
	enum order_kind kind;
	char created[LIST_CREATED_CHARS + 1];
	struct order_binding binding;
	uint32_t target_count;
	struct list_identity *targets;
	uint8_t hash[LIST_HASH_BYTES]; /* of the body */
	uint8_t *document;	       /* the exact bytes it came from, signatures included */
	size_t document_bytes;
};

/* "abort" and so on; "unknown" for a number that is no kind. */
const char *order_kind_name(enum order_kind kind);

/* Parses a body whose signatures were checked (or are not needed).  *order is owned by the caller.
 * -EBADMSG with "line N: ..." for anything that is not canonical or makes no sense by itself (an
 * abort in DRAIN, a giveup of nobody), -ENOMEM. */
int order_parse(const void *document, size_t document_bytes, struct order **order,
		struct failure *failure);

/* document_verify, then order_parse, then: the cluster's name is `cluster` (-EINVAL).  Nothing of
 * the body is looked at before its signatures were found good. */
int order_open(const void *document, size_t document_bytes, const struct trust *trust,
	       const char *cluster, struct order **order, struct failure *failure);

/* Writes the canonical body (hash and document are not read; the targets may have any order). *body
 * is malloc'd, owned by the caller.  It is parsed again before it is returned; -EINVAL with the
 * reason where the fields break a rule. */
int order_write(const struct order *order, void **body, size_t *body_bytes,
		struct failure *failure);

void order_free(struct order *order); /* NULL is fine */

/* Is the order for the register as it is `now`?  A failover is when its term is the one after
 * now's. -ESTALE; says which of the bound values differs. */
int order_is_for(const struct order *order, const struct order_binding *now,
		 struct failure *failure);

/* Is each target, by name and address, a server (giveup) or an agent (excuse, failover) of one of
 * the two lists?  `pending` may be NULL.  -EINVAL; says which is not. */
int order_targets_check(const struct order *order, const struct list *active,
			const struct list *pending, struct failure *failure);

#endif
