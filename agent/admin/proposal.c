/* proposal.c - see proposal.h. */
#include "admin/proposal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/human.h"
#include "admin/list_source.h"
#include "admin/next_list.h"
#include "admin/servers_ask.h"
#include "admin/status.h"

#define RATE_MAX 1000000000000u

/* ---- the command line ---- */

int proposal_ask_new(int argc, struct proposal_ask *ask, struct failure *failure)
{
	memset(ask, 0, sizeof(*ask));
	/* An option takes a place of argv at least, so this is room for any number of them. */
	ask->giveups = calloc((size_t)argc + 1, sizeof(*ask->giveups));
	return ask->giveups != NULL ? 0 : failure_set(failure, ENOMEM, "no memory");
}

void proposal_ask_clear(struct proposal_ask *ask)
{
	free(ask->giveups);
	ask->giveups = NULL;
}

static int rate_take(const char *command, const char *argument, bool *has, uint64_t *rate)
{
	*has = true;
	if (human_number(argument, 0, RATE_MAX, rate))
		return -1;
	return admin_usage(command, "'%s' is no number from 0 to 1000000000000", argument);
}

int proposal_option(const char *command, struct proposal_ask *ask, int option, const char *argument)
{
	switch (option) {
	case PROPOSAL_PARENT:
		ask->parent = argument;
		return -1;
	case PROPOSAL_EPOCH:
		if (!human_number(argument, 1, LIST_EPOCH_MAX, &ask->epoch))
			return admin_usage(command, "--epoch '%s' is not an epoch", argument);
		return -1;
	case PROPOSAL_GIVEUP:
		ask->giveups[ask->giveup_count++] = argument;
		return -1;
	case PROPOSAL_SERVERS:
		ask->ask = strcmp(argument, "yes") == 0;
		ask->no_ask = strcmp(argument, "no") == 0;
		if (!ask->ask && !ask->no_ask)
			return admin_usage(command, "--ask '%s' is neither yes nor no", argument);
		return -1;
	case PROPOSAL_RATE_KEYS:
		return rate_take(command, argument, &ask->has_rate_keys, &ask->rate_keys);
	case PROPOSAL_RATE_BYTES:
		return rate_take(command, argument, &ask->has_rate_bytes, &ask->rate_bytes);
	default:
		return -2;
	}
}

/* ---- the list ---- */

/* What the agent knows beside its list: an epoch that was undone is spent, so the next one must be
 * above it; and how fast its movers may go.  An agent that cannot say so costs nothing: push would
 * be refused with the number. */
static void status_ask(struct link *link, struct proposal_ask *ask, uint64_t highest)
{
	struct status *status = NULL;
	struct failure ignored;
	char *body = NULL;
	size_t body_bytes;

	if (link_status_get(link, STATUS_CLUSTER, &body, &body_bytes, &ignored) == 0 &&
	    status_parse(body, body_bytes, &status, &ignored) == 0) {
		if (status->change_epoch > highest)
			highest = status->change_epoch;
		if (!ask->has_rate_keys)
			ask->rate_keys = status->rate_keys;
		if (!ask->has_rate_bytes)
			ask->rate_bytes = status->rate_bytes;
		status_free(status);
	}
	free(body);
	if (ask->epoch == 0)
		ask->epoch = highest + 1;
}

static int parent_get(struct link *link, struct proposal_ask *ask, struct list **parent,
		      struct failure *failure)
{
	int error;

	if (ask->parent != NULL && strcmp(ask->parent, "none") == 0)
		return 0;
	if (ask->parent != NULL)
		return list_source_file(ask->parent, NULL, parent, failure);
	error = list_source_agent(link, NULL, parent, failure);
	if (error == -ENOENT) /* an agent without a list waits for the first one */
		return 0;
	if (error == 0)
		status_ask(link, ask, (*parent)->epoch);
	return error;
}

/* The servers that --giveup names, each by its address in the parent. */
static int giveups_resolve(const struct proposal_ask *ask, const struct list *parent,
			   struct list *wanted, struct failure *failure)
{
	if (ask->giveup_count == 0)
		return 0;
	if (parent == NULL)
		return failure_set(failure, EINVAL,
				   "--giveup %s: the first list has no server that leaves",
				   ask->giveups[0]);
	wanted->giveups = calloc(ask->giveup_count, sizeof(*wanted->giveups));
	if (wanted->giveups == NULL)
		return failure_set(failure, ENOMEM, "no memory for the servers given up");
	for (uint32_t i = 0; i < ask->giveup_count; i++) {
		const int at = list_server_find(parent, ask->giveups[i]);

		if (at < 0)
			return failure_set(failure, EINVAL,
					   "--giveup %s: epoch %" PRIu64 " has no such server",
					   ask->giveups[i], parent->epoch);
		memcpy(wanted->giveups[i].name, parent->servers[at].name, LIST_NAME_MAX + 1);
		memcpy(wanted->giveups[i].address, parent->servers[at].address,
		       LIST_ADDRESS_MAX + 1);
		wanted->giveup_count++;
	}
	return 0;
}

/* The servers are asked what they hold. */
static int servers_look(const struct proposal_ask *ask, struct proposal *proposal,
			struct failure *failure)
{
	int error;

	if (proposal->parent == NULL) {
		proposal->first_asked = true;
		return servers_ask_first(proposal->next, &proposal->held, failure);
	}
	proposal->forecast = forecast_new(proposal->change);
	if (proposal->forecast == NULL)
		return failure_set(failure, ENOMEM, "no memory for the forecast");
	proposal->forecast->rate_keys = ask->rate_keys;
	proposal->forecast->rate_bytes = ask->rate_bytes;
	error = servers_ask(proposal->forecast, proposal->change, failure);
	return error < 0 ? error : forecast_make(proposal->forecast, proposal->change, failure);
}

int proposal_make(struct link *link, const struct proposal_ask *asked, struct cluster_conf *conf,
		  struct proposal *proposal, struct failure *failure)
{
	struct proposal_ask ask = *asked; /* with what the agent adds to it */
	int error;

	memset(proposal, 0, sizeof(*proposal));
	error = parent_get(link, &ask, &proposal->parent, failure);
	if (error == 0)
		error = giveups_resolve(&ask, proposal->parent, &conf->wanted, failure);
	if (error == 0)
		error = next_list_make(conf, proposal->parent, ask.epoch, &proposal->next, failure);
	if (error == 0 && proposal->parent != NULL)
		error = next_list_same(proposal->parent, proposal->next, &proposal->same, failure);
	if (error == 0 && proposal->parent != NULL && !proposal->same)
		error = change_new(proposal->parent, proposal->next, &proposal->change, failure);
	if (error == 0 && !proposal->same && !ask.no_ask && (ask.parent == NULL || ask.ask))
		error = servers_look(&ask, proposal, failure);
	if (error < 0)
		proposal_clear(proposal);
	return error;
}

void proposal_clear(struct proposal *proposal)
{
	forecast_free(proposal->forecast);
	change_free(proposal->change);
	list_free(proposal->next);
	list_free(proposal->parent);
	memset(proposal, 0, sizeof(*proposal));
}
