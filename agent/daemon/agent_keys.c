/* agent_keys.c - which of this host's keys the agent goes by.
 *
 * While the host key is rotated there are two: the one that the list in force names for this agent
 * is used where it dials, and both are answered to where others dial.  So the file's new key waits
 * until a change has brought it into the list, and nothing has to happen on two hosts at once.
 */
#include "daemon/agent_internal.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "daemon/log.h"
#include "daemon/peers.h"

/* What the list names for this agent; NULL: nothing. */
static const uint8_t *listed_key(const struct agent *agent)
{
	const struct list *list = agent->lists != NULL ? agent_list(agent) : NULL;
	const int index = list != NULL ? list_agent_find(list, agent->config->name) : -1;

	return index >= 0 ? list->agents[index].key : NULL;
}

static bool is_key(const uint8_t *listed, const uint8_t *secret, const uint8_t *public_key)
{
	return listed != NULL && secret != NULL &&
	       memcmp(listed, public_key, LIST_HOST_KEY_BYTES) == 0;
}

static bool list_names_previous(const struct agent *agent)
{
	const struct config *config = agent->config;

	return is_key(listed_key(agent), config->previous_host_secret,
		      config->previous_host_public);
}

int agent_keys_check(const struct agent *agent, const struct config *next, struct failure *failure)
{
	const uint8_t *listed = listed_key(agent);

	if (!is_key(listed, agent->config->host_secret, agent->identity.public_key) ||
	    is_key(listed, next->host_secret, next->host_public) ||
	    is_key(listed, next->previous_host_secret, next->previous_host_public))
		return 0;
	return failure_set(failure, EINVAL,
			   "host-key: found another key than the list names for %s, expected that "
			   "one as previous-host-key beside it until a list names the new one",
			   agent->config->name);
}

static void host_keys_set(struct session_identity *identity, const struct config *config,
			  bool previous)
{
	const uint8_t *secret = config->host_secret, *public_key = config->host_public;
	const uint8_t *other = config->previous_host_secret;
	const uint8_t *other_public = config->previous_host_public;

	identity->has_other = other != NULL;
	if (previous) {
		secret = config->previous_host_secret;
		public_key = config->previous_host_public;
		other = config->host_secret;
		other_public = config->host_public;
	}
	memcpy(identity->secret, secret, sizeof(identity->secret));
	memcpy(identity->public_key, public_key, sizeof(identity->public_key));
	sodium_memzero(identity->other_secret, sizeof(identity->other_secret));
	if (!identity->has_other)
		return;
	memcpy(identity->other_secret, other, sizeof(identity->other_secret));
	memcpy(identity->other_public_key, other_public, sizeof(identity->other_public_key));
}

void agent_identity(struct agent *agent)
{
	struct session_identity *identity = &agent->identity;
	const struct config *config = agent->config;

	memcpy(identity->cluster, config->cluster, sizeof(identity->cluster));
	memcpy(identity->name, config->name, sizeof(identity->name));
	agent->uses_previous = list_names_previous(agent);
	host_keys_set(identity, config, agent->uses_previous);
	memcpy(identity->psk, config->psk, sizeof(identity->psk));
	sodium_memzero(identity->previous_psk, sizeof(identity->previous_psk));
	identity->has_previous_psk = config->previous_psk != NULL;
	if (identity->has_previous_psk)
		memcpy(identity->previous_psk, config->previous_psk,
		       sizeof(identity->previous_psk));
}

void agent_identity_follow(struct agent *agent)
{
	const bool previous = list_names_previous(agent);

	if (previous == agent->uses_previous)
		return;
	agent_identity(agent);
	log_event(LOG_LEVEL_NOTICE, &(const struct log_fields){.event = "keys-changed"}, "%s",
		  previous ? "the list names the previous host key: it is used"
			   : "the list names the new host key: it is used from now on");
	if (agent->peers != NULL)
		peers_rekey(agent->peers);
}

void agent_keys_changed(struct agent *agent)
{
	agent_identity(agent);
	log_event(LOG_LEVEL_NOTICE, &(const struct log_fields){.event = "keys-changed"},
		  "other keys were read: sessions with other hosts are made anew");
	peers_rekey(agent->peers);
}
