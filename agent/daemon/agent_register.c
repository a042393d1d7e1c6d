/* agent_register.c - the register of this agent, where it coordinates: taken up, handed over to it,
 * or begun again by a failover.
 *
 * Where it lives is the store's business (store.h); whether it is this agent's to act on is decided
 * here.
 */
#include "daemon/agent_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/lists.h"
#include "daemon/log.h"
#include "daemon/store.h"

void agent_resume(struct agent *agent, const struct reg *reg)
{
	const struct reg saved = *reg;

	if (!agent_change(agent, &saved, &agent->coord_change))
		return;
	coord_resume(&agent->coord, &saved, lists_find(agent->lists, saved.active),
		     saved.next_epoch != 0 ? lists_find(agent->lists, saved.pending) : NULL,
		     agent->coord_change, clock_now_ms());
	agent_last_change(agent, &saved);
	/* Whom others named, before the file was read, is of no interest any more. */
	if (!agent->coord.shared)
		agent->leader[0] = '\0';
}

/* ---- failover ---- */

void agent_binding(const struct reg *reg, struct order_binding *binding)
{
	memset(binding, 0, sizeof(*binding));
	memcpy(binding->active, reg->active, LIST_HASH_BYTES);
	binding->has_pending = reg->next_epoch != 0;
	memcpy(binding->pending, reg->pending, LIST_HASH_BYTES);
	binding->term = reg->term;
	binding->serial = reg->serial;
	binding->has_phase = true;
	binding->phase = (enum phase)reg->phase;
}

/* With the register file of the coordinator before, the register is exact: it goes on as after a
 * restart.  Without it, the hosts are asked, in silence.  An etcd is no different: nobody else
 * leads by it until the order's term has begun. */
void agent_failover_begin(struct agent *agent)
{
	const struct order *order = agent->failover;
	const struct reg *known = &agent->host.known;
	const struct reg *reg = &agent->register_saved;
	const bool exact = agent->register_held && register_compare(reg, known) >= 0;
	bool ours;

	if (order == NULL || order->binding.term <= known->term)
		return;
	ours = strcmp(order->targets[0].name, agent->config->name) == 0;
	if (agent->store != NULL)
		store_failover(agent->store, order->binding.term, ours);
	if (!ours || !agent->elected || agent->coord.failover_term >= order->binding.term)
		return;
	if (agent->register_held && reg->term >= order->binding.term)
		return; /* it had begun before this host knew of it */
	if (exact && reg->term < order->binding.term &&
	    agent_change(agent, reg, &agent->coord_change)) {
		agent_resume(agent, reg);
		coord_ordered(&agent->coord, order->binding.term);
		log_event(LOG_LEVEL_NOTICE, &(const struct log_fields){.event = "failover"},
			  "failover: the register %" PRIu64 ".%" PRIu64
			  " goes on here in term %" PRIu64,
			  reg->term, reg->serial, order->binding.term);
		return;
	}
	if (!agent_change(agent, known, &agent->coord_change))
		return;
	coord_failover(&agent->coord, order->binding.term, known,
		       lists_find(agent->lists, known->active),
		       known->next_epoch != 0 ? lists_find(agent->lists, known->pending) : NULL,
		       agent->coord_change, clock_now_ms());
	log_event(
	    LOG_LEVEL_NOTICE, &(const struct log_fields){.event = "failover"},
	    "failover: without the register; nothing is granted until every earlier lease has run "
	    "out, then the highest register that the hosts know goes on in term %" PRIu64,
	    order->binding.term);
}

bool agent_replaced(const struct agent *agent)
{
	const struct order *order = agent->failover;

	return order != NULL && !agent->coord.shared &&
	       order->binding.term > agent->host.known.term &&
	       strcmp(order->targets[0].name, agent->config->name) != 0;
}

/* Whoever the list does not name as a candidate stands in no election.  Where etcd holds no
 * register only the first list of a new cluster begins one, or a failover order: a candidate that
 * has lost its state would hold the leadership in vain, and keep the others from it.  One that
 * knows no list yet may be all that is left, and finds the lists in etcd. */
void agent_stands(struct agent *agent)
{
	const struct list *list = agent_list(agent);
	const struct order *order = agent->failover;
	enum election_stand stand = ELECTION_STAND_FOUND;

	if (order != NULL && order->binding.term > agent->host.known.term &&
	    strcmp(order->targets[0].name, agent->config->name) == 0)
		stand = ELECTION_STAND_BEGIN;
	else if (list != NULL && !agent_may_coordinate(agent, list))
		stand = ELECTION_STAND_NOT;
	else if (list != NULL && (agent->host.known.term != 0 || !list->has_parent))
		stand = ELECTION_STAND_BEGIN;
	store_stand(agent->store, stand);
}

/* The list still names the coordinator that is lost.  Should it come back it is a host among
 * others, until a next list names it again. */
void agent_failover_keeps(struct agent *agent)
{
	const struct order *order = agent->failover;
	const struct reg *reg = &agent->coord.reg;
	const struct list *list;

	agent->coord.replaced[0] = '\0';
	if (order == NULL || agent->coord.shared ||
	    strcmp(order->targets[0].name, agent->config->name) != 0)
		return;
	list = lists_find(agent->lists, order->binding.active);
	if (list == NULL)
		return;
	if ((reg->next_epoch == 0 &&
	     memcmp(reg->active, order->binding.active, LIST_HASH_BYTES) == 0) ||
	    (order->binding.has_pending && memcmp(reg->next_epoch != 0 ? reg->pending : reg->active,
						  order->binding.pending, LIST_HASH_BYTES) == 0))
		(void)snprintf(agent->coord.replaced, sizeof(agent->coord.replaced), "%s",
			       list->agents[list->coordinator].name);
}

/* The old coordinator's register file may have been put here for the order. */
static int agent_failover_look(struct agent *agent, const struct order *order,
			       struct failure *failure)
{
	struct reg reg;
	int error;

	if (agent->coord.shared || agent->coord.reg.term != 0 || !agent->elected ||
	    strcmp(order->targets[0].name, agent->config->name) != 0)
		return 0;
	error = store_look(agent->store, &reg, failure);
	if (error != 0 && error != -ENOENT)
		return error;
	agent->register_held = error == 0;
	if (error == 0)
		agent->register_saved = reg;
	return 0;
}

int agent_failover_take(struct agent *agent, struct order *order, struct failure *failure)
{
	int error = agent_failover_look(agent, order, failure);

	if (error != 0)
		return error;
	if (state_store(agent->state, FAILOVER_FILE, order->document, order->document_bytes,
			failure) != 0)
		return -EIO;
	order_free(agent->failover);
	agent->failover = order;
	agent_failover_begin(agent);
	(void)failure_set(failure, 0, "failover to %s in term %" PRIu64 " accepted",
			  order->targets[0].name, order->binding.term);
	return 0;
}

static void agent_load_failover(struct agent *agent)
{
	struct failure failure;
	void *document;
	size_t bytes;
	int error = state_load(agent->state, FAILOVER_FILE, DOCUMENT_BYTES_MAX, &document, &bytes,
			       &failure);

	if (error == 0) {
		/* Its signatures were checked when it was taken; state.h tells damage. */
		error = order_parse(document, bytes, &agent->failover, &failure);
		free(document);
	}
	if (error != 0 && error != -ENOENT)
		log_line(LOG_LEVEL_ERROR, "%s", failure.text);
	agent_failover_begin(agent);
}

/* ---- no register ---- */

/* Nothing is known here, and others know this agent as their coordinator: its disk is new. */
void agent_asked(struct agent *agent, const char *name, const struct reg *reg)
{
	if (agent->asked || agent->coord.shared || agent->host.known.term != 0 ||
	    strcmp(reg->coordinator, agent->config->name) != 0)
		return;
	agent->asked = true;
	(void)snprintf(agent->register_trouble, sizeof(agent->register_trouble),
		       "agent %s asks this agent to coordinate by the register %" PRIu64 ".%" PRIu64
		       " of epoch %" PRIu64 ", which is not here: " COORD_WAY_OUT,
		       name, reg->term, reg->serial, reg->epoch);
	log_event(LOG_LEVEL_ERROR, &(const struct log_fields){.event = "register-trouble"}, "%s",
		  agent->register_trouble);
}

/* ---- the store ---- */

/* The store holds no register: a cluster's first list begins it, nothing else does. */
static void agent_register_absent(struct agent *agent)
{
	const struct list *newest = lists_newest(agent->lists);
	const struct reg *known = &agent->host.known;
	struct failure failure;

	if (newest == NULL || known->handed_over || !agent_may_coordinate(agent, newest) ||
	    agent_replaced(agent))
		return;
	if (!newest->has_parent && known->term == 0) {
		if (agent_begin(agent, newest, &failure) != 0)
			log_line(LOG_LEVEL_ERROR, "%s", failure.text);
		return;
	}
	if (!agent->coord.shared && !agent_is_coordinator(agent))
		return;
	(void)snprintf(agent->register_trouble, sizeof(agent->register_trouble),
		       "agent %s coordinates by the list but its register is missing: it routes on "
		       "and coordinates nothing; " COORD_WAY_OUT,
		       agent->config->name);
	log_event(LOG_LEVEL_ERROR, &(const struct log_fields){.event = "register-trouble"}, "%s",
		  agent->register_trouble);
}

static void agent_register_found(struct agent *agent, const struct reg *reg)
{
	const struct reg *known = &agent->host.known;
	const struct list *active = lists_find(agent->lists, reg->active);

	/* It stood without a list, and was elected before it saw that the list names others. */
	if (agent->coord.shared && active != NULL && !agent_may_coordinate(agent, active))
		return;

	if (!agent->coord.shared && strcmp(reg->coordinator, agent->config->name) != 0) {
		/* It may have died with the word written and not said: then it is nowhere else. */
		if (reg->handed_over)
			host_register(&agent->host, reg, clock_now_ms());
		return;
	}
	if (!agent->coord.shared && register_compare(reg, known) < 0) {
		(void)snprintf(agent->register_trouble, sizeof(agent->register_trouble),
			       "the register here is %" PRIu64 ".%" PRIu64
			       ", this host has adopted %" PRIu64 ".%" PRIu64
			       ": it is an old copy, and coordinates no more",
			       reg->term, reg->serial, known->term, known->serial);
		log_event(LOG_LEVEL_ERROR, &(const struct log_fields){.event = "register-trouble"},
			  "%s", agent->register_trouble);
		return;
	}
	if (agent_change(agent, reg, &agent->coord_change)) {
		agent_resume(agent, reg);
		return;
	}
	(void)snprintf(agent->register_trouble, sizeof(agent->register_trouble),
		       "the register %" PRIu64 ".%" PRIu64 " names a list that is not here",
		       reg->term, reg->serial);
	log_event(LOG_LEVEL_ERROR, &(const struct log_fields){.event = "register-trouble"}, "%s",
		  agent->register_trouble);
}

int agent_register_write(struct agent *agent, const struct reg *reg)
{
	const struct list *list =
	    lists_find(agent->lists, reg->next_epoch != 0 ? reg->pending : reg->active);
	const struct store_document document = {list->document, list->document_bytes};
	struct store_document chain[KEYS_VERSIONS_MAX];
	const struct store_bodies bodies = {
	    .keys = chain,
	    .key_count = store_chain(agent->ring, reg, chain),
	    .lists = &document,
	    .list_count = 1,
	};

	return store_write(agent->store, reg, &bodies);
}

/* Keys that the leader before took and nobody else had fetched when it died. */
static int on_keys(void *context, const uint8_t in_force[LIST_HASH_BYTES], const void *document,
		   size_t bytes, uint8_t before[LIST_HASH_BYTES], struct failure *failure)
{
	struct agent *agent = context;
	const int error = keyring_catch_up(agent->ring, in_force, document, bytes, before, failure);

	return error == -EALREADY ? 0 : error;
}

static int on_list(void *context, const void *document, size_t bytes, struct failure *failure)
{
	struct agent *agent = context;
	const struct list *list;

	return lists_add(agent->lists, document, bytes, 0, &list, failure);
}

static void on_elected(void *context, const struct reg *reg, uint64_t until_ms)
{
	struct agent *agent = context;

	agent->elected = true;
	agent->elected_ms = until_ms;
	agent->register_held = reg != NULL;
	if (reg != NULL)
		agent->register_saved = *reg;
	agent_failover_begin(agent);
	if (agent->coord.state == COORD_IDLE && reg != NULL)
		agent_register_found(agent, reg);
	else if (agent->coord.state == COORD_IDLE)
		agent_register_absent(agent);
	coord_lead(&agent->coord, until_ms);
	agent_pump(agent);
}

static void on_leads(void *context, uint64_t until_ms)
{
	struct agent *agent = context;

	agent->elected_ms = until_ms;
	coord_lead(&agent->coord, until_ms);
	agent_pump(agent);
}

/* It is a host among others until it is elected again. */
static void agent_leads_no_more(struct agent *agent)
{
	agent->elected = false;
	if (agent->coord.state == COORD_IDLE)
		return;
	coord_stop(&agent->coord);
	host_connected(&agent->host, false, clock_now_ms());
	agent_pump(agent);
}

static void on_lost(void *context, const char *why)
{
	struct agent *agent = context;

	if (agent->coord.state != COORD_IDLE)
		log_event(LOG_LEVEL_WARNING, &(const struct log_fields){.event = "leadership-lost"},
			  "leadership is lost: %s", why);
	(void)snprintf(agent->step_lost, sizeof(agent->step_lost), "leadership is lost: %.400s",
		       why);
	agent_leads_no_more(agent);
	if (agent->on_left != NULL)
		agent->on_left(agent);
}

bool agent_leave(struct agent *agent, void (*on_left)(struct agent *agent))
{
	if (!agent->coord.shared || agent->on_left != NULL)
		return false;
	if (agent->elected)
		log_event(LOG_LEVEL_NOTICE,
			  &(const struct log_fields){.event = "leadership-given-back"},
			  "leadership is given back");
	agent->on_left = on_left;
	(void)snprintf(agent->step_lost, sizeof(agent->step_lost), "it leaves the leadership");
	store_resign(agent->store);
	agent_leads_no_more(agent);
	return true;
}

static void on_leader(void *context, const char *name)
{
	struct agent *agent = context;

	/* A file has one candidate, its agent, whoever it is that coordinates. */
	if (!agent->coord.shared)
		return;
	(void)snprintf(agent->leader, sizeof(agent->leader), "%s", name);
	agent->leader_told = name[0] != '\0';
}

static void on_stored(void *context, bool ok, const char *why)
{
	struct agent *agent = context;

	agent_stored(agent, ok, why);
	agent_pump(agent);
}

static void on_trouble(void *context, const char *why)
{
	struct agent *agent = context;

	if (why[0] != '\0')
		log_event(LOG_LEVEL_ERROR, &(const struct log_fields){.event = "register-trouble"},
			  "%s", why);
	(void)snprintf(agent->register_trouble, sizeof(agent->register_trouble), "%s", why);
}

static const struct store_events store_events = {
    .keys = on_keys,
    .list = on_list,
    .elected = on_elected,
    .leads = on_leads,
    .lost = on_lost,
    .leader = on_leader,
    .stored = on_stored,
    .trouble = on_trouble,
};

int agent_register_open(struct agent *agent, struct failure *failure)
{
	const struct store_owner owner = {&store_events, agent};
	const struct reg *known = agent->host.known.term != 0 ? &agent->host.known : NULL;
	int error;

	agent->coord.shared = agent->config->register_in == CONFIG_REGISTER_ETCD;
	if (agent->coord.shared)
		error = store_open_etcd(agent->config, known, agent->base, &owner, &agent->store,
					failure);
	else
		error = store_open_file(agent->state, agent->config->name, agent->base, &owner,
					&agent->store, failure);
	if (error == 0) {
		agent_load_failover(agent);
		agent_stands(agent);
	}
	return error;
}
