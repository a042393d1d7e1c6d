/* agent_reload.c - a changed agent.conf on a running agent: all of it, or nothing. */
#include "daemon/agent_internal.h"

#include <errno.h>

#include "daemon/clients_run.h"
#include "daemon/workers.h"

/* What mcadmin pace has set stays, unless the file says another thing than it did. */
static void pace_reload(struct mover_pace *pace, const struct config *running,
			const struct config *next)
{
	if (next->rate_keys != running->rate_keys)
		pace->rate_keys = next->rate_keys;
	if (next->rate_bytes != running->rate_bytes)
		pace->rate_bytes = next->rate_bytes;
	if (next->adaptive != running->adaptive)
		pace->adaptive = next->adaptive;
}

int agent_reload(struct agent *agent, const char *path, struct failure *failure)
{
	struct mover_pace *pace = workers_pace(agent->workers), before = *pace;
	struct config *next;
	bool keys_changed = false;
	int error = config_load(path, &next, failure);

	if (error != 0)
		return error;
	error = agent_keys_check(agent, next, failure);
	if (error != 0) {
		config_free(next);
		return error;
	}
	pace_reload(pace, agent->config, next);
	error = config_reload(agent->config, next, path, &keys_changed, failure);
	if (error != 0)
		*pace = before;
	else
		clients_run_limit(agent->clients, agent->config->clients_per_user);
	if (error == 0 && keys_changed)
		agent_keys_changed(agent);
	config_free(next);
	return error;
}
