/* peers_answer.c - what peers, operators and the coordinator say, and what they are answered. */
#include "daemon/peers_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/lists.h"
#include "daemon/log.h"
#include "daemon/status.h"
#include "daemon/workers.h"
#include "hash.h"

#define RELAY_STATUS_MS 2000u

/* ---- answers ---- */

void verdict_send(struct peer *peer, uint64_t request, uint8_t code, const char *text)
{
	struct message message = {.type = MESSAGE_VERDICT};

	message.verdict.request = request;
	message.verdict.code = code;
	(void)snprintf(message.verdict.text, sizeof(message.verdict.text), "%s", text);
	peer_send(peer, &message);
}

void status_send(struct peer *peer, uint64_t request, bool cluster)
{
	struct message message = {.type = MESSAGE_STATUS, .request = request};
	char *text;

	/* Whose process runs what is nobody's business but this host's. */
	if (status_text(peer->peers->agent, cluster, !cluster && session_is_local(peer->session),
			&text, &message.body_bytes) != 0)
		return;
	message.body = (const uint8_t *)text;
	peer_send(peer, &message);
	free(text);
}

static void document_send(struct peer *peer, const struct message *question)
{
	struct message message = {.type = MESSAGE_LIST, .request = question->list_get.request};

	message.body =
	    agent_document(peer->peers->agent, question->list_get.hash, &message.body_bytes);
	peer_send(peer, &message);
}

/* Where an observer comes from: its address without the port, hashed. */
static uint64_t peer_origin(const struct peer *peer)
{
	const char *address = session_peer_address(peer->session);
	const char *colon = strrchr(address, ':');

	return mcr_hash(address, colon != NULL ? (size_t)(colon - address) : strlen(address));
}

static bool lists_agent(const struct list *list, const uint8_t key[LIST_HOST_KEY_BYTES])
{
	for (uint32_t i = 0; list != NULL && i < list->agent_count; i++)
		if (memcmp(list->agents[i].key, key, LIST_HOST_KEY_BYTES) == 0)
			return true;
	return false;
}

/* Is it an agent of the lists that this one goes by? */
static bool peer_listed(const struct peer *peer)
{
	const struct agent *agent = peer->peers->agent;
	const struct reg *known = &agent->host.known;
	const uint8_t *key = session_peer_key(peer->session);

	return lists_agent(agent_list(agent), key) ||
	       (known->next_epoch != 0 &&
		lists_agent(lists_find(agent->lists, known->pending), key));
}

/* One who does not coordinate says who does, and shows a register that the other has missed.  A
 * newer one that the other holds is taken: it may be the word that this agent takes over, which its
 * coordinator said to few before he was gone. */
static void renew_elsewhere(struct peer *peer, const struct renew *renew)
{
	struct agent *agent = peer->peers->agent;
	const struct reg *known = &agent->host.known;
	const struct list_agent *coordinator;
	struct message message;

	if (known->term != 0 && register_compare(&renew->known, known) > 0 && peer_listed(peer)) {
		host_register(&agent->host, &renew->known, clock_now_ms());
		agent_pump(agent);
	}
	if (renew->sequence != 0)
		agent_asked(agent, session_peer_name(peer->session), &renew->known);
	coordinator = agent_coordinator(agent);
	memset(&message, 0, sizeof(message));
	if (coordinator != NULL && strcmp(coordinator->name, agent->config->name) != 0) {
		message.type = MESSAGE_ELSEWHERE;
		(void)snprintf(message.elsewhere.name, sizeof(message.elsewhere.name), "%s",
			       coordinator->name);
		(void)snprintf(message.elsewhere.address, sizeof(message.elsewhere.address), "%s",
			       coordinator->address);
		peer_send(peer, &message);
	}
	if (register_compare(&agent->host.stored, &renew->known) > 0) {
		message.type = MESSAGE_REGISTER;
		message.reg = agent->host.stored;
		peer_send(peer, &message);
	}
}

static void renew_answer(struct peer *peer, const struct renew *renew)
{
	struct agent *agent = peer->peers->agent;
	struct message message;

	if (agent->coord.state == COORD_IDLE) {
		renew_elsewhere(peer, renew);
		return;
	}
	memset(&message, 0, sizeof(message));
	peer->renews = true;
	message.type = MESSAGE_GRANT;
	if (coord_renew(&agent->coord, session_peer_key(peer->session), peer_origin(peer), renew,
			clock_now_ms(), &message.grant))
		peer_send(peer, &message);
	agent_pump(agent);
}

/* ---- what comes in ---- */

/* Nobody's documents are looked at but those that he was asked for. */
static void inbound_document(struct peer *peer, const struct message *message)
{
	struct agent *agent = peer->peers->agent;

	if (peer->asked == 0) {
		log_line(LOG_LEVEL_WARNING, "%s: a document that nobody asked for: ignored",
			 session_peer_address(peer->session));
		return;
	}
	peer->asked--;
	if (document_wanted(peer->peers, message->body, message->body_bytes))
		agent_document_came(agent, message->body, message->body_bytes, false);
	agent_pump(agent);
}

static bool pace_number_good(uint64_t number)
{
	return number == PACE_UNCHANGED || number <= MOVER_PACE_RATE_MAX;
}

/* Only who may write to the control socket slows or hastens this host. */
static void pace_answer(struct peer *peer, const struct message *message)
{
	struct mover_pace *pace = workers_pace(peer->peers->agent->workers);
	char text[MESSAGE_TEXT_BYTES];

	if (!session_is_local(peer->session)) {
		verdict_send(peer, message->pace.request, VERDICT_REFUSED,
			     "the pace is set over the agent's own control socket alone");
		return;
	}
	if (!pace_number_good(message->pace.rate_keys) ||
	    !pace_number_good(message->pace.rate_bytes)) {
		(void)snprintf(text, sizeof(text),
			       "a limit is 0 (none) or up to %" PRIu64 " a second",
			       (uint64_t)MOVER_PACE_RATE_MAX);
		verdict_send(peer, message->pace.request, VERDICT_REFUSED, text);
		return;
	}
	if (message->pace.rate_keys != PACE_UNCHANGED)
		pace->rate_keys = message->pace.rate_keys;
	if (message->pace.rate_bytes != PACE_UNCHANGED)
		pace->rate_bytes = message->pace.rate_bytes;
	if (message->pace.adaptive != PACE_ADAPTIVE_UNCHANGED)
		pace->adaptive = message->pace.adaptive == PACE_ADAPTIVE_YES;
	(void)snprintf(text, sizeof(text),
		       "keys a second %" PRIu64 ", bytes a second %" PRIu64
		       " (0: no limit), gives way to other clients: %s",
		       pace->rate_keys, pace->rate_bytes, pace->adaptive ? "yes" : "no");
	log_line(LOG_LEVEL_INFO, "the movers' pace was changed: %s", text);
	verdict_send(peer, message->pace.request, VERDICT_ACCEPTED, text);
}

void inbound_message(struct peer *peer, const struct message *message)
{
	struct agent *agent = peer->peers->agent;
	bool cluster;

	switch (message->type) {
	case MESSAGE_RENEW:
		if (!session_is_local(peer->session))
			renew_answer(peer, &message->renew);
		break;
	case MESSAGE_LIST_GET:
		document_send(peer, message);
		break;
	case MESSAGE_OFFER:
		offer_answer(peer, message);
		break;
	case MESSAGE_LIST: /* asked for after a failover */
		inbound_document(peer, message);
		break;
	case MESSAGE_REGISTER: /* from a coordinator that we did not come to */
		if (agent->host.known.term != 0 && peer_listed(peer))
			host_register(&agent->host, &message->reg, clock_now_ms());
		agent_pump(agent);
		break;
	case MESSAGE_STATUS_GET:
		cluster = message->status_get.scope == STATUS_CLUSTER;
		if (!cluster || agent->coord.state != COORD_IDLE ||
		    !coordinator_found(peer->peers) ||
		    !relay_add(peer, MESSAGE_STATUS_GET, message->status_get.request,
			       RELAY_STATUS_MS, NULL))
			status_send(peer, message->status_get.request, cluster);
		break;
	case MESSAGE_PACE:
		pace_answer(peer, message);
		break;
	default:
		log_line(LOG_LEVEL_WARNING, "%s: %s is not for us: ignored",
			 session_peer_address(peer->session), message_name(message->type));
		break;
	}
}

/* Somebody who knows that others coordinate has a newer list than we have. */
void peer_ask_newest(struct peer *peer)
{
	struct message message = {.type = MESSAGE_LIST_GET, .list_get.request = ASKED_NEWEST};

	peer_send(peer, &message);
}

void peer_inquire(struct peer *peer)
{
	struct message message = {.type = MESSAGE_RENEW};

	/* No lease is asked for: nothing is reported as adopted, and a grant of 0 is no answer. */
	message.renew.known = peer->peers->agent->host.known;
	peer_send(peer, &message);
	peer_ask_newest(peer);
}

void coordinator_message(struct peer *peer, const struct message *message)
{
	struct agent *agent = peer->peers->agent;

	switch (message->type) {
	case MESSAGE_GRANT:
		host_grant(&agent->host, &message->grant, clock_now_ms());
		break;
	case MESSAGE_REGISTER:
		host_register(&agent->host, &message->reg, clock_now_ms());
		break;
	case MESSAGE_LIST:
		if (message->body_bytes > 0)
			agent_document_came(agent, message->body, message->body_bytes,
					    message->request == ASKED_NEWEST);
		break;
	case MESSAGE_VERDICT:
	case MESSAGE_STATUS:
		relay_answered(peer->peers, message);
		return;
	case MESSAGE_ELSEWHERE:
		if (!peer->elsewhere)
			log_line(LOG_LEVEL_WARNING,
				 "agent %s does not coordinate: it says %s at %s does",
				 session_peer_name(peer->session), message->elsewhere.name,
				 message->elsewhere.address);
		peer->elsewhere = true;
		agent_led_by(agent, message->elsewhere.name);
		agent_heal_not(agent, message->elsewhere.name);
		peer_ask_newest(peer);
		return;
	default:
		return;
	}
	agent_pump(agent);
}
