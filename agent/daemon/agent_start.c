/* agent_start.c - the agent comes up from what is on disk, ticks, and goes down. */
#include "daemon/agent_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "daemon/clients_run.h"
#include "daemon/discovery.h"
#include "daemon/keyring.h"
#include "daemon/lists.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/metrics_page.h"
#include "daemon/on_change.h"
#include "daemon/owed_run.h"
#include "daemon/peers.h"
#include "daemon/reach.h"
#include "daemon/store.h"
#include "daemon/workers.h"

#define TICK_SETTLED_MS 100u
#define TICK_CHANGE_MS	20u
#define REACH_EVERY_MS	2000u

static void agent_tick(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	const uint64_t now_ms = clock_now_ms();
	const bool settled = agent->host.published.phase == PHASE_STEADY &&
			     register_compare(&agent->host.known, &agent->host.adopted) == 0;
	uint32_t next_ms = settled ? TICK_SETTLED_MS : TICK_CHANGE_MS;
	struct failure failure;
	struct timeval next;

	(void)fd;
	(void)what;
	if (segment_keep(agent->segment, &failure) != 0)
		log_line(LOG_LEVEL_WARNING, "%s", failure.text);
	/* Whoever finds the heartbeat three op_timeouts old may plan without registration: of the
	 * three spans, from one count over two looks at the clock to the next count, one is a gap
	 * then. */
	host_tick(&agent->host, now_ms);
	segment_heartbeat(agent->segment);
	watchdog_feed(&agent->watchdog, now_ms);
	host_tick(&agent->host, clock_now_ms());
	workers_report(agent->workers);
	peers_tick(agent->peers, now_ms);
	agent_fetch_keys(agent);
	agent_pump(agent);
	log_tick();
	if (agent->host_change != NULL && agent->host_change->op_timeout_ms / 4 < next_ms)
		next_ms = agent->host_change->op_timeout_ms / 4 + 1;
	next.tv_sec = 0;
	next.tv_usec = (suseconds_t)next_ms * 1000;
	(void)event_add(agent->tick, &next);
}

static void on_clients(void *context)
{
	agent_pump(context);
}

static int agent_clients_open(struct agent *agent, struct failure *failure)
{
	const struct clients_options options = {
	    .path = agent->config->clients_socket,
	    .mode = agent->config->clients_mode,
	    .cluster = agent->config->cluster,
	    .incarnation = segment_incarnation(agent->segment),
	    .per_uid = agent->config->clients_per_user,
	    .owed = agent->owed,
	};
	int error =
	    clients_run_new(agent->base, &options, on_clients, agent, &agent->clients, failure);

	if (error == 0)
		segment_clients(agent->segment, options.path);
	return error;
}

static const struct change *agent_reach_change(void *context)
{
	const struct agent *agent = context;

	return agent->host_change;
}

static int agent_metrics_open(struct agent *agent, struct failure *failure)
{
	const struct reach_setup setup = {
	    .base = agent->base,
	    .agent = agent->config->name,
	    .access = &agent->config->access,
	    .change = agent_reach_change,
	    .context = agent,
	    .every_ms = REACH_EVERY_MS,
	};

	if (agent->config->metrics[0] == '\0')
		return 0;
	if (reach_new(&setup, &agent->reach) != 0)
		return failure_set(failure, ENOMEM, "metrics: no memory");
	return metrics_open(agent->base, agent->config->metrics, metrics_page_make, agent,
			    &agent->metrics, failure);
}

static int agent_load(struct agent *agent, struct failure *failure)
{
	struct host_state saved;
	uint64_t incarnation;
	void *bytes;
	size_t length;
	int error;

	randombytes_buf(&incarnation, sizeof(incarnation));
	error = state_load(agent->state, HOST_FILE, HOST_STATE_BYTES, &bytes, &length, failure);
	if (error == 0) {
		error = length == HOST_STATE_BYTES ? host_state_decode(bytes, &saved) : -EBADMSG;
		free(bytes);
		if (error != 0)
			return failure_set(failure, -error,
					   "%s/" HOST_FILE ": not a host state of this version: "
					   "move it away to start as a new host",
					   agent->config->state_directory);
	} else if (error != -ENOENT) {
		return error;
	}
	/* Clients must not be led back to where the cluster was when a backup was made. */
	if (error == 0 && segment_epoch(agent->segment) > saved.reg.highest_epoch) {
		log_line(LOG_LEVEL_WARNING,
			 "%s/" HOST_FILE ": of epoch %" PRIu64 ", but %s shows epoch %" PRIu64
			 ": an old copy; nothing is published until the coordinator has spoken",
			 agent->config->state_directory, saved.reg.highest_epoch,
			 agent->config->segment, segment_epoch(agent->segment));
		error = -ENOENT;
	}
	host_start(&agent->host, agent->config->name, incarnation, agent->config->boot_wait_ms,
		   error == 0 ? &saved : NULL, segment_generation(agent->segment, NULL) != 0,
		   clock_now_ms());
	return 0;
}

/* A state directory belongs to one cluster. */
static int agent_check_cluster(struct agent *agent, struct failure *failure)
{
	const char *cluster = agent->config->cluster;
	void *bytes;
	size_t length;
	int error = state_load(agent->state, CLUSTER_FILE, LIST_NAME_MAX, &bytes, &length, failure);

	if (error == -ENOENT)
		return state_store(agent->state, CLUSTER_FILE, cluster, strlen(cluster), failure);
	if (error != 0)
		return error;
	if (length != strlen(cluster) || memcmp(bytes, cluster, length) != 0)
		error = failure_set(failure, EINVAL,
				    "state directory %s belongs to cluster `%.*s`, not `%s`: give "
				    "this agent a directory of its own",
				    agent->config->state_directory, (int)length, (char *)bytes,
				    cluster);
	free(bytes);
	return error;
}

int agent_open(struct config *config, struct event_base *base,
	       void (*on_ready)(struct agent *agent), struct agent **out, struct failure *failure)
{
	const struct owed_limits owed_limits = {.keys = config->owed_max,
						.keys_per_uid = config->owed_per_user};
	struct agent *agent = sodium_malloc(sizeof(*agent)); /* it holds the host's secret */
	int error;

	if (agent == NULL)
		return failure_set(failure, ENOMEM, "agent: no memory");
	memset(agent, 0, sizeof(*agent));
	agent->config = config;
	agent->base = base;
	agent->on_ready = on_ready;
	agent->started_s = (uint64_t)time(NULL);
	agent_identity(agent);
	if (watchdog_start(&agent->watchdog, failure) != 0)
		log_line(LOG_LEVEL_WARNING, "%s", failure->text);
	error = coord_init(&agent->coord, config->name);
	if (error == 0)
		error = workers_new(agent, &agent->workers);
	if (error != 0) {
		(void)failure_set(failure, -error, "agent: no memory");
		goto failed;
	}
	agent->tick = event_new(base, -1, 0, agent_tick, agent);
	if ((error = state_open(config->state_directory, &agent->state, failure)) != 0 ||
	    (error = segment_open(config->segment, config->cluster, &agent->segment, failure)) !=
		0 ||
	    (error = agent_check_cluster(agent, failure)) != 0 ||
	    (error = keyring_open(agent->state, &config->trust, config->cluster, &agent->ring,
				  failure)) != 0 ||
	    (error = lists_open(agent->state, agent->ring, &agent->lists, failure)) != 0 ||
	    (error = agent_load(agent, failure)) != 0 ||
	    (error = owed_run_new(base, config->state_directory, &owed_limits, &config->access,
				  &agent->owed, failure)) != 0 ||
	    (error = agent_clients_open(agent, failure)) != 0 ||
	    (error = on_change_new(config, base, &agent->on_change, failure)) != 0 ||
	    (config->discovery[0] != '\0' &&
	     (error = discovery_open(base, config->discovery, &agent->discovery, failure)) != 0))
		goto failed;
	if ((error = agent_register_open(agent, failure)) != 0 ||
	    (error = peers_open(agent, &agent->peers, failure)) != 0 ||
	    (error = agent_metrics_open(agent, failure)) != 0)
		goto failed;
	agent_pump(agent);
	agent_tick(-1, 0, agent);
	*out = agent;
	return 0;
failed:
	agent_close(agent);
	return error;
}

void agent_close(struct agent *agent)
{
	if (agent == NULL)
		return;
	metrics_close(agent->metrics);
	reach_free(agent->reach);
	store_close(agent->store);
	peers_close(agent->peers);
	discovery_close(agent->discovery);
	clients_run_free(agent->clients);
	on_change_free(agent->on_change);
	owed_run_free(agent->owed);
	workers_free(agent->workers);
	if (agent->tick != NULL)
		event_free(agent->tick);
	lists_close(agent->lists);
	keyring_close(agent->ring);
	order_free(agent->failover);
	free(agent->shown);
	change_free(agent->host_change);
	change_free(agent->coord_change);
	segment_close(agent->segment);
	state_close(agent->state);
	coord_free(&agent->coord);
	sodium_free(agent);
}
