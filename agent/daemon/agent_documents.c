/* agent_documents.c - signed documents that come in: taken, refused, or passed on.
 *
 * The first line tells what a document is.  The signatures of lists and orders are checked under
 * the keys in force before anything else of them is looked at; a keys document is parsed first, for
 * its version tells whose signatures it needs.
 */
#include "daemon/agent_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/evidence.h"
#include "daemon/keyring.h"
#include "daemon/lists.h"
#include "daemon/log.h"
#include "daemon/peers.h"
#include "list/order.h"

/* A document on its way through the rules of its kind. */
struct offered {
	struct agent *agent;
	const void *document;
	size_t bytes;
	struct trust trust;
	bool relay; /* the coordinator has to be asked */
	struct failure failure;
};

static uint8_t verdict_of(int error)
{
	switch (error) {
	case 0:
	case -EALREADY:
		return VERDICT_ACCEPTED;
	case -EAGAIN:
		return VERDICT_LATER;
	case -EBUSY:
		return VERDICT_BUSY;
	case -EIO:
	case -ENOSPC:
	case -ENOMEM:
		return VERDICT_FAILED;
	default:
		return VERDICT_REFUSED;
	}
}

/* Somebody else's to decide: the coordinator's, where there is one to ask. */
static int offered_relay(struct offered *offered)
{
	struct agent *agent = offered->agent;

	if (!agent_is_coordinator(agent)) {
		offered->relay = true;
		return 0;
	}
	/* It led last, as far as it knows; who leads now it has yet to hear from etcd. */
	if (agent->coord.shared)
		return failure_set(
		    &offered->failure, EAGAIN,
		    "agent %s does not lead and knows nobody who does%s%.200s", agent->config->name,
		    agent->register_trouble[0] != '\0' ? ": " : "", agent->register_trouble);
	return failure_set(&offered->failure, EPERM,
			   "agent %s coordinates by the list but its register is missing: restore "
			   "its state directory %s",
			   agent->config->name, agent->config->state_directory);
}

/* ---- lists ---- */

/* Two signed lists of one epoch: whoever signed both said two things.  The second is kept. */
static void list_contradicts(struct offered *offered, const struct list *list)
{
	struct agent *agent = offered->agent;
	struct evidence evidence = {.kind = EVIDENCE_LIST, .number = list->epoch};

	if (lists_find(agent->lists, list->hash) != NULL ||
	    lists_rival(agent->lists, list->epoch, list->hash) == NULL)
		return;
	memcpy(evidence.hash, list->hash, LIST_HASH_BYTES);
	evidence_keep(agent->state, &evidence, offered->document, offered->bytes);
}

static int list_decide(struct offered *offered, const struct list *list)
{
	struct agent *agent = offered->agent;
	const struct list *held;
	int error = coord_may_offer(&agent->coord, list, clock_now_ms(), &offered->failure);

	if (error != 0) {
		list_contradicts(offered, list);
		return error;
	}
	error =
	    lists_add(agent->lists, offered->document, offered->bytes, 0, &held, &offered->failure);
	if (error != 0)
		return -EIO;
	coord_offer(&agent->coord, held, clock_now_ms());
	(void)failure_set(&offered->failure, 0, "epoch %" PRIu64 " accepted: the change begins",
			  list->epoch);
	return 0;
}

/* The first list of a cluster begins its register, on the agent that it names. */
int agent_begin(struct agent *agent, const struct list *first, struct failure *failure)
{
	int error = change_new(first, NULL, &agent->coord_change, failure);

	if (error == 0)
		coord_begin(&agent->coord, first, agent->coord_change, clock_now_ms());
	return error;
}

/* An agent without any list takes the one that it is brought, if it is signed. */
static int list_first(struct offered *offered, const struct list *list)
{
	struct agent *agent = offered->agent;
	const struct list_agent *coordinator = &list->agents[list->coordinator];
	const bool ours =
	    agent_may_coordinate(agent, list) && agent->elected && !agent_replaced(agent);
	const struct list *held;

	if (ours && strcmp(coordinator->name, agent->config->name) == 0 &&
	    memcmp(coordinator->key, agent->identity.public_key, LIST_HOST_KEY_BYTES) != 0)
		return failure_set(
		    &offered->failure, EINVAL,
		    "agent %s: the list names another key for it than its own host-key",
		    coordinator->name);
	if (ours && list->has_parent)
		return failure_set(&offered->failure, EINVAL,
				   "agent %s is to coordinate epoch %" PRIu64
				   " but holds no register: restore its state directory %s",
				   coordinator->name, list->epoch, agent->config->state_directory);
	if (lists_add(agent->lists, offered->document, offered->bytes, 0, &held,
		      &offered->failure) != 0)
		return -EIO;
	/* It stands in the election from now on, and begins the register when it is elected. */
	if (!ours && agent->coord.shared && agent_may_coordinate(agent, list) &&
	    agent->leader[0] == '\0')
		return failure_set(&offered->failure, EAGAIN,
				   "agent %s stands for election, to begin the register",
				   agent->config->name);
	if (!ours) {
		offered->relay = true;
		return 0;
	}
	if (agent_begin(agent, held, &offered->failure) != 0)
		return -EIO;
	(void)failure_set(&offered->failure, 0,
			  "epoch %" PRIu64 " accepted as the first list: it begins when a majority "
			  "of its %" PRIu32 " agents answers",
			  list->epoch, list->agent_count);
	return 0;
}

static int list_offered(struct offered *offered)
{
	struct agent *agent = offered->agent;
	struct list *list;
	int error;

	/* A host without a register is brought the active list, which may be older than the keys.
	 */
	if (agent->host.known.term == 0)
		error = keyring_list_open(agent->ring, offered->document, offered->bytes, 0, &list,
					  &offered->failure);
	else
		error = list_open(offered->document, offered->bytes, &offered->trust,
				  agent->config->cluster, &list, &offered->failure);
	if (error != 0)
		return error;
	if (agent->coord.state != COORD_IDLE)
		error = list_decide(offered, list);
	else if (agent->host.known.term != 0 &&
		 memcmp(list->hash, agent->host.known.active, LIST_HASH_BYTES) == 0)
		error = failure_set(&offered->failure, EALREADY,
				    "epoch %" PRIu64 " is active already", list->epoch);
	else if (agent_list(agent) == NULL)
		error = list_first(offered, list);
	else
		error = offered_relay(offered);
	list_free(list);
	return error;
}

/* ---- orders ---- */

/* One order of a term is kept, and is this agent's vote: two of them would make two coordinators.
 */
static int failover_second(struct offered *offered, const struct order *order)
{
	const struct order *kept = offered->agent->failover;

	return failure_set(&offered->failure, ESTALE,
			   "the failover order to %s is for term %" PRIu64
			   ", agent %s keeps one to %s for term %" PRIu64
			   ": if that agent is gone too, sign one for term %" PRIu64,
			   order->targets[0].name, order->binding.term,
			   offered->agent->config->name, kept->targets[0].name, kept->binding.term,
			   kept->binding.term + 1);
}

static int failover_offered(struct offered *offered, struct order *order)
{
	struct agent *agent = offered->agent;
	const struct reg *known = &agent->host.known;
	struct order_binding now;

	if (agent->failover != NULL &&
	    memcmp(agent->failover->hash, order->hash, LIST_HASH_BYTES) == 0)
		return failure_set(&offered->failure, EALREADY, "failover to %s is known already",
				   order->targets[0].name);
	if (agent->failover != NULL && order->binding.term <= agent->failover->binding.term)
		return failover_second(offered, order);
	/* Whoever has lost everything has to hear it before the list that names him coordinator. */
	if (known->term == 0 && strcmp(order->targets[0].name, agent->config->name) != 0)
		return agent_failover_take(agent, order, &offered->failure);
	if (known->term == 0)
		return failure_set(
		    &offered->failure, ESTALE,
		    "agent %s knows no register to fail over from: push a list first",
		    agent->config->name);
	agent_binding(known, &now);
	if (order->binding.term <= known->term)
		return failure_set(&offered->failure, ESTALE,
				   "the failover order is for term %" PRIu64
				   ", the register's term is %" PRIu64 " already",
				   order->binding.term, known->term);
	if (lists_find(agent->lists, known->active) == NULL ||
	    order_targets_check(order, lists_find(agent->lists, known->active),
				known->next_epoch != 0 ? lists_find(agent->lists, known->pending)
						       : NULL,
				&offered->failure) != 0)
		return -EINVAL;
	return agent_failover_take(agent, order, &offered->failure);
}

static void order_accepted(struct offered *offered, const struct order *order)
{
	const uint32_t more = order->target_count > 0 ? order->target_count - 1 : 0;
	char others[32] = "";

	if (order->kind == ORDER_ABORT) {
		(void)failure_set(&offered->failure, 0,
				  "abort accepted: the change to epoch %" PRIu64 " is undone",
				  offered->agent->coord.reg.next_epoch);
		return;
	}
	if (more > 0)
		(void)snprintf(others, sizeof(others), " and %" PRIu32 " more", more);
	(void)failure_set(
	    &offered->failure, 0, "%s of %s%s accepted: the change does not wait for %s any more",
	    order_kind_name(order->kind), order->targets[0].name, others, more > 0 ? "them" : "it");
}

static int order_offered(struct offered *offered)
{
	struct agent *agent = offered->agent;
	struct order *order;
	int error = order_open(offered->document, offered->bytes, &offered->trust,
			       agent->config->cluster, &order, &offered->failure);

	if (error != 0)
		return error;
	if (order->kind == ORDER_FAILOVER) {
		error = failover_offered(offered, order);
		if (error == 0)
			return 0; /* the agent keeps it */
	} else if (agent->coord.state == COORD_IDLE) {
		error = offered_relay(offered);
	} else {
		error = coord_may_order(&agent->coord, order, clock_now_ms(), &offered->failure);
		if (error == 0) {
			coord_order(&agent->coord, order, clock_now_ms());
			order_accepted(offered, order);
		}
	}
	order_free(order);
	return error;
}

/* ---- keys ---- */

/* The version that the register names, and its hash; without a register the newest one here. */
static uint64_t keys_in_force(const struct agent *agent, const uint8_t **hash)
{
	const struct reg *reg = &agent->host.known;

	if (agent->coord.state != COORD_IDLE && agent->coord.reg.keys_version > reg->keys_version)
		reg = &agent->coord.reg;
	*hash = reg->term == 0 ? NULL : reg->keys;
	return reg->term == 0 ? keyring_version(agent->ring) : reg->keys_version;
}

/* Two documents for one version, each signed as that version has to be. */
static void keys_contradict(struct offered *offered, const struct keys *keys)
{
	struct agent *agent = offered->agent;
	struct evidence evidence = {.kind = EVIDENCE_KEYS, .number = keys->version};

	if (keyring_contradicts(agent->ring, offered->document, offered->bytes, NULL) != 0)
		return;
	memcpy(evidence.hash, keys->hash, LIST_HASH_BYTES);
	evidence_keep(agent->state, &evidence, offered->document, offered->bytes);
}

/* The next version, on disk before the register names it. */
static int keys_next(struct offered *offered, const struct keys *keys, uint64_t in_force)
{
	struct agent *agent = offered->agent;
	const struct keys *held;
	int error = keyring_add(agent->ring, offered->document, offered->bytes, in_force, &held,
				&offered->failure);

	if (error != 0 && error != -EALREADY)
		return error;
	if (agent->coord.state != COORD_IDLE)
		coord_keys(&agent->coord, keys->version, keys->hash);
	(void)failure_set(&offered->failure, 0,
			  "keys version %" PRIu64 " accepted: signatures count by it from now on",
			  keys->version);
	return 0;
}

/* The register names it, but its document was lost: whoever has it may bring it. */
static int keys_found(struct offered *offered, const struct keys *keys)
{
	struct agent *agent = offered->agent;
	uint8_t want[LIST_HASH_BYTES];
	int error = keyring_catch_up(agent->ring, keys->hash, offered->document, offered->bytes,
				     want, &offered->failure);

	if (error == -EAGAIN) {
		peers_fetch(agent->peers, want);
		return failure_set(&offered->failure, EAGAIN,
				   "keys version %" PRIu64
				   " is the one in force; the version before it is not here yet",
				   keys->version);
	}
	return error == 0
		   ? failure_set(&offered->failure, EALREADY,
				 "keys version %" PRIu64 " is in force already", keys->version)
		   : error;
}

static int keys_offered(struct offered *offered)
{
	struct agent *agent = offered->agent;
	const uint8_t *hash;
	const uint64_t in_force = keys_in_force(agent, &hash);
	struct keys *keys;
	int error = keys_parse(offered->document, offered->bytes, &keys, &offered->failure);

	if (error != 0)
		return error;
	if (hash != NULL && keys->version == in_force &&
	    memcmp(keys->hash, hash, LIST_HASH_BYTES) == 0 &&
	    keyring_find(agent->ring, hash) == NULL) {
		error = keys_found(offered, keys);
	} else if (agent->coord.state != COORD_IDLE) {
		error = coord_may_keys(&agent->coord, keys->version, keys->hash, clock_now_ms(),
				       &offered->failure);
		if (error == 0)
			error = keys_next(offered, keys, in_force);
		else if (error == -ESTALE)
			keys_contradict(offered, keys);
	} else if (agent->host.known.term != 0) {
		error = offered_relay(offered);
	} else {
		/* Nothing is known here: what follows from our own configuration. */
		error = keys_next(offered, keys, in_force);
	}
	keys_free(keys);
	return error;
}

/* ---- what it is ---- */

static bool is_kind(const struct offered *offered, const char *magic)
{
	const size_t length = strlen(magic);

	return offered->bytes > length && memcmp(offered->document, magic, length) == 0;
}

/* Whoever has the pre-shared key may offer what nobody signed, as often as he likes. */
static void offer_tell(struct agent *agent, uint8_t verdict, const char *text)
{
	const struct log_fields fields = {.event = "offer"};
	uint32_t untold = 0;

	if (verdict == VERDICT_ACCEPTED) {
		log_event(LOG_LEVEL_NOTICE, &fields, "offer: %s", text);
		return;
	}
	if (!log_limit_take(&agent->refusals, clock_now_ms(), &untold))
		return;
	if (untold == 0)
		log_event(LOG_LEVEL_WARNING, &fields, "offer: %s", text);
	else
		log_event(LOG_LEVEL_WARNING, &fields,
			  "offer: %s (%" PRIu32 " before it were not taken either)", text, untold);
}

uint8_t agent_offer(struct agent *agent, const void *document, size_t bytes, char *text,
		    size_t text_bytes, bool *relay)
{
	struct offered offered = {
	    .agent = agent,
	    .document = document,
	    .bytes = bytes,
	};
	const uint8_t *hash;
	const uint64_t in_force = keys_in_force(agent, &hash);
	uint8_t verdict;
	int error;

	if (is_kind(&offered, "mcroster-keys "))
		error = keys_offered(&offered);
	else if (!keyring_trust(agent->ring, in_force, hash, &offered.trust))
		error = failure_set(&offered.failure, EAGAIN,
				    "agent %s: keys version %" PRIu64
				    " is in force and its document is not here yet; where no agent "
				    "has it, push it again",
				    agent->config->name, in_force);
	else if (is_kind(&offered, "mcroster-order "))
		error = order_offered(&offered);
	else
		error = list_offered(&offered);
	verdict = verdict_of(error);
	*relay = error == 0 && offered.relay;
	(void)snprintf(text, text_bytes, "%s", offered.failure.text);
	if (!*relay)
		agent->offers[verdict]++;
	/* One who is told to try again does so at once, and is told why. */
	if (!*relay && error != -EALREADY && verdict != VERDICT_LATER)
		offer_tell(agent, verdict, text);
	return verdict;
}

static int keys_came(struct offered *came)
{
	struct agent *agent = came->agent;
	uint8_t want[LIST_HASH_BYTES];
	const uint8_t *in_force;
	int error;

	(void)keys_in_force(agent, &in_force);
	if (in_force == NULL)
		return 0; /* it was asked for by a register that is gone */
	error = keyring_catch_up(agent->ring, in_force, came->document, came->bytes, want,
				 &came->failure);
	if (error == -EAGAIN)
		peers_fetch(agent->peers, want);
	return error == -EAGAIN || error == -EALREADY ? 0 : error;
}

/* A list that we do not hold and that is active elsewhere was accepted after the register that we
 * know: keys that had been retired by then say nothing about it. */
static int list_came(struct offered *came, bool newest)
{
	struct agent *agent = came->agent;
	uint8_t hash[LIST_HASH_BYTES];
	const uint8_t *keys;
	const struct list *list;
	size_t body_bytes;
	uint32_t signatures;
	int error =
	    document_split(came->document, came->bytes, &body_bytes, &signatures, &came->failure);

	if (error != 0)
		return error;
	document_hash(came->document, body_bytes, hash);
	error = lists_add(
	    agent->lists, came->document, came->bytes,
	    newest && lists_find(agent->lists, hash) == NULL ? keys_in_force(agent, &keys) : 0,
	    &list, &came->failure);
	if (error == 0 && newest)
		agent_heal(agent, list);
	return error;
}

void agent_document_came(struct agent *agent, const void *document, size_t bytes, bool newest)
{
	struct offered came = {.agent = agent, .document = document, .bytes = bytes};
	const int error =
	    is_kind(&came, "mcroster-keys ") ? keys_came(&came) : list_came(&came, newest);

	if (error != 0)
		log_line(LOG_LEVEL_ERROR, "a document from another agent: %s", came.failure.text);
}

const void *agent_document(struct agent *agent, const uint8_t hash[LIST_HASH_BYTES], size_t *bytes)
{
	static const uint8_t newest[LIST_HASH_BYTES];
	const bool any = memcmp(hash, newest, LIST_HASH_BYTES) == 0;
	const struct list *list = any ? agent_list(agent) : lists_find(agent->lists, hash);
	const struct keys *keys = any ? NULL : keyring_find(agent->ring, hash);

	*bytes = 0;
	if (list != NULL) {
		*bytes = list->document_bytes;
		return list->document;
	}
	if (keys != NULL) {
		*bytes = keys->document_bytes;
		return keys->document;
	}
	if (agent->failover != NULL && memcmp(agent->failover->hash, hash, LIST_HASH_BYTES) == 0) {
		*bytes = agent->failover->document_bytes;
		return agent->failover->document;
	}
	free(agent->shown);
	agent->shown = any ? NULL : evidence_load(agent->state, hash, bytes);
	return agent->shown;
}
