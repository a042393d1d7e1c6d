/* agent_documents.c - signed documents that come in: taken, refused, or passed on. */
#include "daemon/agent_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/lists.h"
#include "daemon/log.h"

static uint8_t agent_offer_here(struct agent *agent, const struct list *list, const void *document,
				size_t bytes, struct failure *failure)
{
	const struct list *held;
	int error = coord_may_offer(&agent->coord, list, clock_now_ms(), failure);

	if (error == -EALREADY)
		return VERDICT_ACCEPTED;
	if (error != 0)
		return error == -EAGAIN	 ? VERDICT_LATER
		       : error == -EBUSY ? VERDICT_BUSY
					 : VERDICT_REFUSED;
	if (lists_add(agent->lists, document, bytes, &held, failure) != 0)
		return VERDICT_FAILED;
	coord_offer(&agent->coord, held, clock_now_ms());
	(void)failure_set(failure, 0, "epoch %" PRIu64 " accepted: the change begins", list->epoch);
	return VERDICT_ACCEPTED;
}

/* The first list of a cluster begins its register, on the agent that it names. */
int agent_begin(struct agent *agent, const struct list *first, struct failure *failure)
{
	int error = change_new(first, NULL, &agent->coord_change, failure);

	if (error == 0)
		coord_begin(&agent->coord, first, agent->coord_change, clock_now_ms());
	return error;
}

static uint8_t agent_offer_first(struct agent *agent, const struct list *list, const void *document,
				 size_t bytes, bool *relay, struct failure *failure)
{
	const struct list_agent *coordinator = &list->agents[list->coordinator];
	const struct list *held;
	const bool ours = strcmp(coordinator->name, agent->config->name) == 0;

	if (ours &&
	    memcmp(coordinator->key, agent->config->host_public, LIST_HOST_KEY_BYTES) != 0) {
		(void)failure_set(
		    failure, EINVAL,
		    "agent %s: the list names another key for it than its own host-key",
		    coordinator->name);
		return VERDICT_REFUSED;
	}
	if (ours && list->has_parent) {
		(void)failure_set(failure, EINVAL,
				  "agent %s is to coordinate epoch %" PRIu64
				  " but holds no register: "
				  "restore its state directory %s",
				  coordinator->name, list->epoch, agent->config->state_directory);
		return VERDICT_REFUSED;
	}
	if (lists_add(agent->lists, document, bytes, &held, failure) != 0)
		return VERDICT_FAILED;
	if (!ours) {
		*relay = true;
		return VERDICT_ACCEPTED;
	}
	if (agent_begin(agent, held, failure) != 0)
		return VERDICT_FAILED;
	(void)failure_set(failure, 0, "epoch %" PRIu64 " accepted as the first list", list->epoch);
	return VERDICT_ACCEPTED;
}

uint8_t agent_offer(struct agent *agent, const void *document, size_t bytes, char *text,
		    size_t text_bytes, bool *relay)
{
	struct failure failure = {{0}};
	struct list *list;
	uint8_t verdict;

	*relay = false;
	if (list_open(document, bytes, &agent->config->trust, agent->config->cluster, &list,
		      &failure) != 0) {
		verdict = VERDICT_REFUSED;
	} else {
		if (agent->coord.state != COORD_IDLE) {
			verdict = agent_offer_here(agent, list, document, bytes, &failure);
		} else if (agent_list(agent) == NULL) {
			verdict = agent_offer_first(agent, list, document, bytes, relay, &failure);
		} else if (agent_is_coordinator(agent)) {
			(void)failure_set(&failure, EIO,
					  "agent %s coordinates by the list but its register is "
					  "missing: restore its state directory %s",
					  agent->config->name, agent->config->state_directory);
			verdict = VERDICT_REFUSED;
		} else {
			*relay = true;
			verdict = VERDICT_ACCEPTED;
		}
		list_free(list);
	}
	(void)snprintf(text, text_bytes, "%s", failure.text);
	if (!*relay)
		log_line(verdict == VERDICT_ACCEPTED ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING,
			 "offer: %s", text);
	return verdict;
}

void agent_list_came(struct agent *agent, const void *document, size_t bytes)
{
	const struct list *list;
	struct failure failure;

	if (lists_add(agent->lists, document, bytes, &list, &failure) != 0)
		log_line(LOG_LEVEL_ERROR, "a list from the coordinator: %s", failure.text);
}
