/* agent_publish.c - what the host's core wants clients to see goes into the segment, and to whoever
 * else follows it: owed invalidations, discovery, the operator's command.
 */
#include "daemon/agent_internal.h"

#include <errno.h>

#include <mcroster.h>

#include "daemon/clients_run.h"
#include "daemon/discovery.h"
#include "daemon/lists.h"
#include "daemon/log.h"
#include "daemon/on_change.h"
#include "daemon/owed_run.h"

static const uint8_t segment_phase[PHASE_COUNT] = {
    [PHASE_STEADY] = MCR_STEADY, [PHASE_PREPARE] = MCR_PREPARE, [PHASE_COPY] = MCR_COPY,
    [PHASE_SWITCH] = MCR_SWITCH, [PHASE_SETTLE] = MCR_SETTLE,	[PHASE_DRAIN] = MCR_DRAIN,
    [PHASE_GIVEUP] = MCR_GIVEUP, [PHASE_AFTER] = MCR_STEADY,	[PHASE_PURGE] = MCR_STEADY,
    [PHASE_UNWIND] = MCR_UNWIND, [PHASE_BACK] = MCR_STEADY,	[PHASE_CLEAN] = MCR_STEADY,
};

/* The one list that clients are to see where the register still stands between two. */
static const struct list *agent_single(const struct agent *agent, const struct reg *reg)
{
	if (reg->phase == PHASE_AFTER || reg->phase == PHASE_PURGE)
		return lists_find(agent->lists, reg->pending);
	if (reg->phase == PHASE_BACK || reg->phase == PHASE_CLEAN)
		return lists_find(agent->lists, reg->active);
	return NULL;
}

void agent_owed(struct agent *agent, uint8_t phase, uint32_t generation)
{
	agent->owed_phase = phase;
	agent->owed_generation = generation;
	if (owed_run_phase(agent->owed, agent->host_change, (enum phase)phase, generation,
			   agent->host.usable_ms) != 0)
		log_line(LOG_LEVEL_ERROR, "owed invalidations: no memory: none is carried out");
}

static int agent_segment_publish(struct agent *agent, const struct reg *reg, bool confirm,
				 uint32_t *generation, struct failure *failure)
{
	const struct list *active = lists_find(agent->lists, reg->active);
	const struct list *single = agent_single(agent, reg);
	struct change *change = NULL;
	struct segment_view view = {
	    .change = agent->host_change,
	    .phase = segment_phase[reg->phase],
	    .bypass = active->isolation == LIST_ISOLATION_BYPASS,
	    .registration_required = active->registration_required,
	    .confirm = confirm,
	};
	int error = 0;

	if (single != NULL) {
		view.bypass = single->isolation == LIST_ISOLATION_BYPASS;
		view.registration_required = single->registration_required;
		error = change_new(single, NULL, &change, failure);
		view.change = change;
	}
	if (error == 0)
		error = segment_publish(agent->segment, &view, clock_now_ns(), generation, failure);
	if (error == 0) {
		clients_run_published(agent->clients, *generation, view.registration_required,
				      agent->host_change->op_timeout_ms);
		agent->quorum = single != NULL ? single->client_quorum : active->client_quorum;
		agent_owed(agent, reg->phase, *generation);
		if (agent->discovery != NULL)
			discovery_show(agent->discovery,
				       phase_next_first((enum phase)reg->phase)
					   ? lists_find(agent->lists, reg->pending)
					   : active);
	}
	change_free(change);
	return error;
}

void agent_clients(struct agent *agent)
{
	struct host *host = &agent->host;

	if (host->published.term != 0 && register_compare(&host->adopted, &host->published) != 0)
		host_clients(host, clients_run_settled(agent->clients),
			     clients_run_quorum_missing(agent->clients, agent->quorum));
}

/* Clients are led nowhere that the cluster may have left: the agent's disk may be of a backup. */
static void agent_unconfirmed(struct agent *agent, const struct failure *failure)
{
	if (!agent->unconfirmed)
		log_event(LOG_LEVEL_WARNING, &(const struct log_fields){.event = "unconfirmed"},
			  "%s than %s/" HOST_FILE
			  ", which may be an old copy: nothing is published "
			  "until the coordinator has spoken",
			  failure->text, agent->config->state_directory);
	agent->unconfirmed = true;
}

/* The epoch of the list that clients who know nothing of phases are to look at (mcadmin show
 * --unaware): the next one as soon as its owners are asked first. */
static uint64_t agent_unaware_epoch(const struct reg *reg)
{
	switch (reg->phase) {
	case PHASE_SWITCH:
	case PHASE_SETTLE:
	case PHASE_DRAIN:
	case PHASE_GIVEUP:
	case PHASE_AFTER:
	case PHASE_PURGE:
		return reg->next_epoch;
	default:
		return reg->epoch;
	}
}

void agent_publish(struct agent *agent, const struct reg *reg, bool confirm)
{
	const uint32_t before = segment_generation(agent->segment, NULL);
	struct failure failure;
	uint32_t generation;
	const int error = agent_segment_publish(agent, reg, confirm, &generation, &failure);

	if (error != 0) {
		if (error == -ESTALE)
			agent_unconfirmed(agent, &failure);
		else
			log_line(LOG_LEVEL_ERROR, "%s", failure.text);
		host_published(&agent->host, false, false, clock_now_ms());
		return;
	}
	agent->unconfirmed = false;
	if (generation != before)
		agent_log_step("published", reg);
	else if (reg->phase == PHASE_STEADY && agent->host.published.term != 0 &&
		 agent->host.published.phase != PHASE_STEADY)
		agent_log_step("settled", reg); /* clients have seen the last of it before */
	on_change_told(agent->on_change, agent_unaware_epoch(reg));
	host_published(&agent->host, true, generation != before, clock_now_ms());
	agent_clients(agent);
}
