/* agent_coordinator.c - see agent.h: who coordinates, by the register, an order, a newer list or a
 * hint, and whether it is this agent. */
#include "daemon/agent_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/lists.h"
#include "daemon/log.h"

const struct list *agent_list(const struct agent *agent)
{
	const struct list *list = NULL;

	if (agent->host.known.term != 0)
		list = lists_find(agent->lists, agent->host.known.active);
	return list != NULL ? list : lists_newest(agent->lists);
}

static const struct list_agent *agent_named(const struct list *list, const char *name)
{
	const int index = list != NULL ? list_agent_find(list, name) : -1;

	return index >= 0 ? &list->agents[index] : NULL;
}

bool agent_healed(const struct agent *agent)
{
	const struct reg *known = &agent->host.known;

	return agent->healed != NULL &&
	       (agent->healed->epoch > known->epoch ||
		(agent->healed->epoch == known->epoch && agent->healed_term == known->term));
}

/* Is there a word on who leads?  Where it is another agent's, a newer register knows better: two
 * that name each other would otherwise never hear of the one who coordinates. */
static bool agent_hinted(const struct agent *agent)
{
	const struct reg *known = &agent->host.known;

	return agent->leader[0] != '\0' &&
	       (agent->leader_told ||
		(agent->leader_term == known->term && agent->leader_serial == known->serial));
}

/* Whom the failover order names; NULL without one. */
static const struct list_agent *agent_ordered(const struct agent *agent)
{
	const struct reg *known = &agent->host.known;
	const struct list_agent *target;

	if (agent->failover == NULL)
		return NULL;
	target = agent_named(agent_list(agent), agent->failover->targets[0].name);
	if (target == NULL && known->next_epoch != 0)
		target = agent_named(lists_find(agent->lists, known->pending),
				     agent->failover->targets[0].name);
	return target;
}

uint64_t agent_vote(const struct agent *agent, const uint8_t key[LIST_HOST_KEY_BYTES])
{
	const struct list_agent *target = agent_ordered(agent);

	return target != NULL && memcmp(target->key, key, LIST_HOST_KEY_BYTES) == 0
		   ? agent->failover->binding.term
		   : 0;
}

const struct list_agent *agent_coordinator(const struct agent *agent)
{
	const struct reg *known = &agent->host.known;
	const struct list *list = agent_list(agent);
	const struct list *pending =
	    known->next_epoch != 0 ? lists_find(agent->lists, known->pending) : NULL;
	const struct list_agent *found = NULL;

	if (list == NULL)
		return NULL;
	if (agent->failover != NULL && agent->failover->binding.term > known->term)
		found = agent_ordered(agent);
	else if (agent_hinted(agent) && list->coordinator_count > 1)
		found = agent_named(list, agent->leader);
	else if (agent_healed(agent))
		return &agent->healed->agents[agent->healed->coordinator];
	else if (known->term != 0)
		found = agent_named(list, known->coordinator);
	if (found == NULL && pending != NULL)
		found = agent_named(pending, known->coordinator);
	/* It led before the register was moved from etcd to the first candidate's file. */
	if (found != NULL && !agent->coord.shared && list->coordinator_count > 1 &&
	    agent->coord.state == COORD_IDLE && agent->elected && !agent->register_held &&
	    strcmp(found->name, agent->config->name) == 0)
		return &list->agents[list->coordinator];
	return found != NULL ? found : &list->agents[list->coordinator];
}

void agent_led_by(struct agent *agent, const char *name)
{
	const struct list *list = agent_list(agent);

	if (agent->leader_told || agent->coord.state != COORD_IDLE || list == NULL ||
	    list->coordinator_count <= 1 || agent_named(list, name) == NULL ||
	    strcmp(name, agent->config->name) == 0)
		return;
	(void)snprintf(agent->leader, sizeof(agent->leader), "%s", name);
	agent->leader_term = agent->host.known.term;
	agent->leader_serial = agent->host.known.serial;
}

/* A newer list names its coordinator; so does the one that we have, when it has settled and the
 * last word of the coordinator before, that he hands over, did not reach us.  Where it names this
 * agent that word is still to come: from him, or from a host that heard it. */
void agent_heal(struct agent *agent, const struct list *list)
{
	const struct reg *known = &agent->host.known;
	const char *name = list->agents[list->coordinator].name;
	const bool newer = list->epoch > known->epoch &&
			   (agent->healed == NULL || list->epoch > agent->healed->epoch);
	const bool handed_over = list->epoch == known->epoch && known->next_epoch == 0 &&
				 strcmp(name, known->coordinator) != 0 &&
				 strcmp(name, agent->config->name) != 0 && !agent_healed(agent);

	if (!newer && !handed_over)
		return;
	if (agent->healed_said != list->epoch) /* it may take turns with the one before */
		log_line(LOG_LEVEL_NOTICE, "epoch %" PRIu64 " is proven%s: its coordinator is %s",
			 list->epoch, newer ? " and newer than ours" : "", name);
	agent->healed_said = list->epoch;
	agent->healed = list;
	agent->healed_term = known->term;
}

void agent_heal_not(struct agent *agent, const char *name)
{
	const struct reg *known = &agent->host.known;

	if (agent_healed(agent) && agent->healed->epoch == known->epoch &&
	    strcmp(name, known->coordinator) == 0)
		agent->healed = NULL;
}

bool agent_may_coordinate(const struct agent *agent, const struct list *list)
{
	if (!agent->coord.shared)
		return strcmp(list->agents[list->coordinator].name, agent->config->name) == 0;
	for (uint32_t i = 0; i < list->coordinator_count; i++)
		if (strcmp(list->agents[list->coordinators[i]].name, agent->config->name) == 0)
			return true;
	return false;
}

bool agent_is_coordinator(const struct agent *agent)
{
	const struct list_agent *coordinator = agent_coordinator(agent);

	return coordinator != NULL && strcmp(coordinator->name, agent->config->name) == 0;
}
