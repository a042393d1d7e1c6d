/* doctor_peers.c - see doctor.h: every agent of the list is asked for its own status, which shows
 * that it can be reached with the keys of this host, and which version it is. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "admin/doctor.h"
#include "admin/link.h"
#include "list/secretfile.h"

#define PEER_ASK_MS 3000u

static int peer_status(const struct list *list, const struct list_agent *agent, const uint8_t *psk,
		       struct status **status, struct failure *failure)
{
	struct link_peer peer = {.path = ""};
	struct link *link = NULL;
	char *body = NULL;
	size_t body_bytes;
	int error;

	(void)snprintf(peer.cluster, sizeof(peer.cluster), "%s", list->cluster);
	(void)snprintf(peer.address, sizeof(peer.address), "%s", agent->address);
	memcpy(peer.key, agent->key, sizeof(peer.key));
	memcpy(peer.psk, psk, sizeof(peer.psk));
	error = link_new(&peer, &link, failure);
	if (error == 0)
		error = link_limit(link, PEER_ASK_MS, failure);
	if (error == 0)
		error = link_status_get(link, STATUS_LOCAL, &body, &body_bytes, failure);
	if (error == 0)
		error = status_parse(body, body_bytes, status, failure);
	free(body);
	link_free(link);
	return error;
}

static void peer_look(const struct list_agent *agent, const struct status *status,
		      struct checkup *checkup)
{
	checkup_add(checkup, CHECK_PEERS, CHECKUP_OK, agent->name, "answers at %s", agent->address);
	if (strcmp(status->version, MCROSTER_VERSION) == 0)
		checkup_add(checkup, CHECK_VERSIONS, CHECKUP_OK, agent->name, "%s",
			    status->version);
	else
		checkup_add(checkup, CHECK_VERSIONS, CHECKUP_WARN, agent->name,
			    "%s, and this mcadmin is %s", status->version, MCROSTER_VERSION);
}

void doctor_peers(const struct doctor_conf *conf, const struct list *list, struct checkup *checkup)
{
	struct failure failure;
	uint8_t *psk;

	if (!conf->there || secretfile_key_load(conf->psk, &psk, &failure) < 0)
		return; /* that has been found already */
	for (uint32_t i = 0; i < list->agent_count; i++) {
		const struct list_agent *agent = &list->agents[i];
		struct status *status = NULL;

		if (peer_status(list, agent, psk, &status, &failure) < 0)
			checkup_add(checkup, CHECK_PEERS, CHECKUP_FAULT, agent->name, "%s",
				    failure.text);
		else
			peer_look(agent, status, checkup);
		status_free(status);
	}
	sodium_free(psk);
}
