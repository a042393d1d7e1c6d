/* agent.c - see agent.h: the core's wishes carried out, in the order in which it has them. */
#include "daemon/agent_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/clients_run.h"
#include "daemon/keyring.h"
#include "daemon/lists.h"
#include "daemon/log.h"
#include "daemon/owed_run.h"
#include "daemon/peers.h"
#include "daemon/store.h"
#include "daemon/workers.h"

uint64_t clock_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_ms(void)
{
	return clock_now_ns() / 1000000u;
}

/* ---- lists laid over each other ---- */

/* Makes *change what `reg` calls for, where both of its lists are in hand.  True: it is. */
bool agent_change(const struct agent *agent, const struct reg *reg, struct change **change)
{
	const struct list *active = lists_find(agent->lists, reg->active);
	const struct list *pending =
	    reg->next_epoch != 0 ? lists_find(agent->lists, reg->pending) : NULL;
	struct failure failure;
	struct change *made;

	if (host_lists_match(reg, *change))
		return true;
	if (active == NULL || (reg->next_epoch != 0 && pending == NULL))
		return false;
	if (change_new(active, pending, &made, &failure) != 0) {
		log_line(LOG_LEVEL_ERROR, "epoch %" PRIu64 ": %s", reg->epoch, failure.text);
		return false;
	}
	change_free(*change);
	*change = made;
	return true;
}

static void agent_lists(struct agent *agent)
{
	const struct reg *known = &agent->host.known;
	const struct list *newest;

	/* Movers read the change they were started with: it stays until they have stopped. */
	if (workers_busy(agent->workers))
		return;
	if (!agent_healed(agent))
		agent->healed = NULL; /* it may be let go below */
	if (known->term != 0) {
		if (!host_lists_match(known, agent->host_change) &&
		    agent_change(agent, known, &agent->host_change)) {
			host_lists(&agent->host, agent->host_change, clock_now_ms());
			lists_trim(agent->lists, lists_find(agent->lists, known->active),
				   lists_find(agent->lists, known->pending));
		}
		return;
	}
	newest = lists_newest(agent->lists);
	if (newest != NULL && agent->host_change == NULL &&
	    change_new(newest, NULL, &agent->host_change, NULL) == 0)
		host_lists(&agent->host, agent->host_change, clock_now_ms());
}

/* How many slots the present or last change moved: what is shown. */
void agent_last_change(struct agent *agent, const struct reg *reg)
{
	const struct list *active = lists_find(agent->lists, reg->active);
	const struct list *parent =
	    active != NULL && active->has_parent ? lists_find(agent->lists, active->parent) : NULL;
	struct change *last;

	if (agent->coord_change->new_epoch != 0) {
		agent->last_slots = agent->coord_change->parts;
		agent->last_slots_moved = agent->coord_change->moved;
	} else if (agent->last_slots == 0 && parent != NULL &&
		   change_new(parent, active, &last, NULL) == 0) {
		agent->last_slots = last->parts;
		agent->last_slots_moved = last->moved;
		change_free(last);
	}
}

static bool agent_coord_lists(struct agent *agent, const struct reg *reg)
{
	if (!agent_change(agent, reg, &agent->coord_change))
		return false;
	agent_last_change(agent, reg);
	coord_lists(&agent->coord, lists_find(agent->lists, reg->active),
		    reg->next_epoch != 0 ? lists_find(agent->lists, reg->pending) : NULL,
		    agent->coord_change);
	return true;
}

/* ---- storing ---- */

static bool agent_store(struct agent *agent, const char *name, const void *bytes, size_t length)
{
	struct failure failure;
	int error = state_store(agent->state, name, bytes, length, &failure);

	if (error == 0) {
		agent->store_trouble[0] = '\0';
		return true;
	}
	if (strcmp(agent->store_trouble, failure.text) != 0)
		log_event(LOG_LEVEL_ERROR, &(const struct log_fields){.event = "not-stored"},
			  "%s: nothing advances until this is stored", failure.text);
	(void)snprintf(agent->store_trouble, sizeof(agent->store_trouble), "%s", failure.text);
	return false;
}

void agent_log_step(const char *who, const struct reg *reg)
{
	const struct log_fields fields = {.event = who,
					  .phase = phase_name((enum phase)reg->phase),
					  .epoch = reg->epoch,
					  .term = reg->term,
					  .serial = reg->serial};

	log_event(
	    LOG_LEVEL_NOTICE, &fields,
	    "%s: epoch %" PRIu64 "%s%.0" PRIu64 ": %s (register %" PRIu64 ".%" PRIu64 ")%s%s%s%s",
	    who, reg->epoch, reg->next_epoch != 0 ? " to " : "", reg->next_epoch,
	    phase_name((enum phase)reg->phase), reg->term, reg->serial,
	    reg->handed_over ? ": handed over to " : "", reg->handed_over ? reg->coordinator : "",
	    reg->reason[0] != '\0' ? ": undone: " : "", reg->reason);
}

static void agent_coord_do(struct agent *agent, const struct coord_action *action)
{
	struct reg reg = *action->reg;
	int error = -ENOENT;

	if (action->type == COORD_TELL) {
		host_register(&agent->host, &reg, clock_now_ms());
		peers_tell(agent->peers, &reg);
		return;
	}
	if (agent_coord_lists(agent, &reg))
		error = agent_register_write(agent, &reg);
	if (error == 0)
		return;
	agent_stored(agent, false, strerror(-error));
}

void agent_stored(struct agent *agent, bool ok, const char *why)
{
	struct coord *coord = &agent->coord;

	if (coord->state == COORD_IDLE)
		return;
	if (!ok) {
		if (strcmp(agent->store_trouble, why) != 0)
			log_event(LOG_LEVEL_ERROR,
				  &(const struct log_fields){.event = "not-stored"},
				  "%s: no phase is passed until this is stored", why);
		(void)snprintf(agent->store_trouble, sizeof(agent->store_trouble), "%s", why);
		(void)snprintf(agent->step_lost, sizeof(agent->step_lost), "%s", why);
		(void)agent_coord_lists(agent, &coord->reg);
		coord_stored(coord, false, clock_now_ms());
		return;
	}
	agent->store_trouble[0] = '\0';
	agent->register_trouble[0] = '\0';
	coord_stored(coord, true, clock_now_ms());
	agent->register_saved = coord->reg;
	agent->register_held = true;
	agent_log_step("register", &coord->reg);
}

/* ---- the host's wishes ---- */

void agent_fetch_keys(struct agent *agent)
{
	const struct reg *known = &agent->host.known;
	const uint64_t now_ms = clock_now_ms();

	if (known->keys_version == 0 || keyring_find(agent->ring, known->keys) != NULL ||
	    now_ms < agent->keys_ms)
		return;
	agent->keys_ms = now_ms + HOST_FETCH_RETRY_MS;
	peers_fetch(agent->peers, known->keys);
}

void agent_fetch(struct agent *agent, const struct reg *reg)
{
	agent_fetch_keys(agent); /* first: the lists may be signed under them */
	if (lists_find(agent->lists, reg->active) == NULL)
		peers_fetch(agent->peers, reg->active);
	if (reg->next_epoch != 0 && lists_find(agent->lists, reg->pending) == NULL)
		peers_fetch(agent->peers, reg->pending);
}

static void agent_host_do(struct agent *agent, struct host_action *action)
{
	uint8_t bytes[HOST_STATE_BYTES];
	struct reg reg;

	switch (action->type) {
	case HOST_FETCH:
		agent_fetch(agent, action->reg);
		break;
	case HOST_STORE:
		host_state_encode(action->state, bytes);
		host_stored(&agent->host, agent_store(agent, HOST_FILE, bytes, sizeof(bytes)),
			    clock_now_ms());
		/* Should the store be set back, nobody here leads from less than that. */
		if (agent->store != NULL)
			store_known(agent->store, agent->host.stored.term,
				    agent->host.stored.serial);
		break;
	case HOST_PUBLISH:
		reg = *action->reg;
		agent_publish(agent, &reg, action->confirm);
		break;
	case HOST_STOP:
		workers_stop(agent->workers);
		break;
	case HOST_WORK:
		reg = *action->reg;
		workers_start(agent->workers, &reg, action->restarted);
		break;
	case HOST_LEASE:
		segment_lease(agent->segment, action->deadline_ms * 1000000u);
		agent_owed(agent, agent->owed_phase, agent->owed_generation);
		break;
	case HOST_RENEW:
		action->renew.generation = segment_generation(agent->segment, NULL);
		clients_run_count(agent->clients, action->renew.clients);
		(void)snprintf(action->renew.release, sizeof(action->renew.release), "%s",
			       MCROSTER_VERSION);
		peers_renew(agent->peers, &action->renew);
		break;
	}
}

static void agent_tell_ready(struct agent *agent)
{
	const struct host *host = &agent->host;

	if (agent->ready ||
	    (host->known.term != 0 && host->published.term == 0 && !agent->unconfirmed))
		return;
	agent->ready = true;
	agent->on_ready(agent);
}

/* The register is ours to take up: it was written off to this agent, and is on its disk. */
static void agent_take_over(struct agent *agent)
{
	const struct host *host = &agent->host;
	const struct reg *wanted;

	if (coord_wants_lists(&agent->coord, &wanted)) {
		const struct reg reg = *wanted;

		if (!agent_coord_lists(agent, &reg))
			agent_fetch(agent, &reg);
	}
	if (agent->coord.state == COORD_IDLE && host->known.handed_over &&
	    strcmp(host->known.coordinator, agent->config->name) == 0 &&
	    register_compare(&host->stored, &host->known) == 0)
		agent_resume(agent, &host->known);
}

/* Others hold a newer register, a newer list is active elsewhere, or the operators' word is that
 * somebody else coordinates: this register is an old copy.  Where another coordinator is known this
 * agent goes on as a host of his. */
static void agent_step_down(struct agent *agent)
{
	struct coord *coord = &agent->coord;
	const struct list_agent *other = agent_coordinator(agent);
	const struct order *failover = agent->failover;
	char why[FAILURE_BYTES] = "";

	if (agent->asked && agent->host.known.term != 0 && !agent_is_coordinator(agent)) {
		agent->asked = false; /* they go by another now, and so does this agent */
		agent->register_trouble[0] = '\0';
	}
	/* It is lost then, and nobody is elected from what is old. */
	if (coord->state == COORD_HALTED && coord->shared)
		store_known(agent->store, coord->newer_term, coord->newer_serial);
	if (coord->state == COORD_IDLE || coord->shared)
		return;
	if (coord->state == COORD_HALTED)
		(void)snprintf(why, sizeof(why), "%s", coord->halted);
	else if (failover != NULL && failover->binding.term > coord->reg.term &&
		 strcmp(failover->targets[0].name, agent->config->name) != 0)
		(void)snprintf(why, sizeof(why),
			       "a signed order makes agent %s coordinate from term %" PRIu64
			       " on, ours is %" PRIu64 ": it coordinates no more",
			       failover->targets[0].name, failover->binding.term, coord->reg.term);
	else if (coord_beginning(coord) && agent->healed != NULL &&
		 agent->healed->epoch > coord->staged.epoch)
		(void)snprintf(why, sizeof(why),
			       "epoch %" PRIu64
			       " is known at other agents, here the register is lost: "
			       "%s coordinates nothing; " COORD_WAY_OUT,
			       agent->healed->epoch, agent->config->name);
	else if (coord->state == COORD_HEARING && coord->reg.term != 0 && agent->healed != NULL &&
		 agent->healed->epoch > coord->reg.epoch)
		(void)snprintf(why, sizeof(why),
			       "epoch %" PRIu64 " is active at other agents, the register here is "
			       "of epoch %" PRIu64
			       ": this register is an old copy; it coordinates no more",
			       agent->healed->epoch, coord->reg.epoch);
	if (why[0] == '\0')
		return;
	if (strcmp(agent->register_trouble, why) != 0)
		log_event(LOG_LEVEL_ERROR, &(const struct log_fields){.event = "register-trouble"},
			  "%s", why);
	(void)snprintf(agent->register_trouble, sizeof(agent->register_trouble), "%s", why);
	if (!coord_beginning(coord) &&
	    (other == NULL || strcmp(other->name, agent->config->name) == 0))
		return;
	(void)snprintf(agent->step_lost, sizeof(agent->step_lost), "%s", why);
	coord_stop(coord);
	host_connected(&agent->host, false, clock_now_ms());
}

void agent_pump(struct agent *agent)
{
	struct coord_action coord_action;
	struct host_action host_action;
	bool more;

	agent->again = true;
	if (agent->pumping)
		return;
	agent->pumping = true;
	do {
		agent->again = more = false;
		agent_lists(agent);
		agent_identity_follow(agent);
		agent_take_over(agent);
		agent_step_down(agent);
		agent_failover_keeps(agent);
		agent_stands(agent);
		coord_tick(&agent->coord, clock_now_ms());
		while (coord_next(&agent->coord, clock_now_ms(), &coord_action)) {
			agent_coord_do(agent, &coord_action);
			more = true;
		}
		host_hold(&agent->host, owed_run_in_flight(
					    agent->owed, segment_generation(agent->segment, NULL)));
		agent_clients(agent);
		while (host_next(&agent->host, clock_now_ms(), &host_action)) {
			agent_host_do(agent, &host_action);
			agent_lists(agent);
			more = true;
		}
	} while (more || agent->again);
	agent->pumping = false;
	peers_stored(agent->peers, clock_now_ms());
	agent_tell_ready(agent);
}
