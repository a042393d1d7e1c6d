/* peers.c - see peers.h: who is connected, and what the core sends to whom. */
#include "daemon/peers_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/keyring.h"
#include "daemon/log.h"
#include "list/document.h"

#define PEERS_MAX    (COORD_HOSTS_MAX + 64u)
#define CONTROL_MODE 0660u

/* ---- bookkeeping ---- */

static struct peer *peer_new(struct peers *peers, enum peer_kind kind)
{
	struct peer *peer = peers->count < PEERS_MAX ? calloc(1, sizeof(*peer)) : NULL;

	if (peer == NULL)
		return NULL;
	peer->kind = kind;
	peer->peers = peers;
	peer->next = peers->first;
	peer->link = &peers->first;
	if (peers->first != NULL)
		peers->first->link = &peer->next;
	peers->first = peer;
	peers->count++;
	return peer;
}

static void peer_free(struct peer *peer)
{
	struct peers *peers = peer->peers;

	for (uint32_t i = 0; i < RELAYS_MAX; i++)
		if (peers->relay[i].id != 0 && peers->relay[i].origin == peer)
			relay_drop(&peers->relay[i]);
		else if (peers->coordinator == peer)
			peers->relay[i].sent = false; /* the next one is asked again */
	offers_forget(peers, peer);
	if (peer->kind == PEER_ANNOUNCE)
		peers->announces--;
	if (peers->coordinator == peer)
		peers->coordinator = NULL;
	if (peers->successor == peer)
		peers->successor = NULL;
	if (peers->guide == peer)
		peers->guide = NULL;
	*peer->link = peer->next;
	if (peer->next != NULL)
		peer->next->link = peer->link;
	peers->count--;
	free(peer);
}

void peer_close(struct peer *peer)
{
	session_close(peer->session);
	peer_free(peer);
}

void peer_send(struct peer *peer, const struct message *message)
{
	int error = session_send(peer->session, message);

	if (error != 0)
		log_line(LOG_LEVEL_WARNING, "%s: %s not sent: %s",
			 session_peer_address(peer->session), message_name(message->type),
			 strerror(-error));
}

bool coordinator_ready(const struct peers *peers)
{
	return peers->coordinator != NULL && peers->coordinator->ready;
}

bool coordinator_found(const struct peers *peers)
{
	return coordinator_ready(peers) && !peers->asking;
}

/* ---- sessions ---- */

static void announce_one(struct peer *peer, uint64_t request, const void *document, size_t bytes)
{
	struct message message = {.type = MESSAGE_OFFER, .request = request};

	message.body = document;
	message.body_bytes = bytes;
	peer->questions++;
	peer_send(peer, &message);
}

/* A failover order first: the agent that it replaced may have lost all it knew, and must not take
 * itself for the coordinator by the list.  Then the keys, which the list may be signed by.  One
 * that waits for another coordinator, by an order that has come to nothing, sees by the register
 * that this one has begun. */
void announce_bring(struct peer *peer)
{
	const struct agent *agent = peer->peers->agent;
	const struct list *list = agent_list(agent);
	struct message message = {.type = MESSAGE_REGISTER};
	const struct keys *keys;

	if (agent->failover != NULL)
		announce_one(peer, ANNOUNCE_FAILOVER, agent->failover->document,
			     agent->failover->document_bytes);
	for (uint64_t version = 1; (keys = keyring_at(agent->ring, version)) != NULL; version++)
		announce_one(peer, ANNOUNCE_KEYS, keys->document, keys->document_bytes);
	announce_one(peer, 1, list->document, list->document_bytes);
	if (agent->coord.state != COORD_LEADING || agent->coord.reg.term == 0)
		return;
	message.reg = agent->coord.reg;
	peer_send(peer, &message);
}

static void peer_ready(struct session *session, void *context)
{
	struct peer *peer = context;
	struct peers *peers = peer->peers;

	if (peer->kind == PEER_LISTENER) {
		peer = peer_new(peers, PEER_INBOUND);
		if (peer == NULL) {
			session_close(session);
			return;
		}
		peer->session = session;
		session_set_context(session, peer);
	}
	peer->ready = true;
	if (peer->kind == PEER_ANNOUNCE && peers->agent->coord.state == COORD_HEARING &&
	    peers->agent->coord.failover_term == 0) {
		peer_inquire(peer);
	} else if (peer->kind == PEER_ANNOUNCE) {
		announce_bring(peer);
	} else if (peer->kind == PEER_SUCCESSOR) {
		host_successor(&peers->agent->host, true, false);
		agent_pump(peers->agent);
	} else if (peer->kind == PEER_GUIDE) {
		peer_inquire(peer);
	} else if (peer->kind == PEER_COORDINATOR) {
		peers->failures = 0;
		peers->redial_delay_ms = REDIAL_MIN_MS;
		peers->last_why[0] = '\0';
		if (!peers->asking)
			log_event(LOG_LEVEL_INFO,
				  &(const struct log_fields){.event = "coordinator-connected",
							     .peer = session_peer_address(session)},
				  "connected to coordinator %s", session_peer_address(session));
		host_connected(&peers->agent->host, true, clock_now_ms());
		for (uint32_t i = 0; i < RELAYS_MAX; i++)
			if (peers->relay[i].id != 0)
				relay_try(peers, &peers->relay[i]);
		agent_pump(peers->agent);
	}
}

static void peer_message(struct session *session, const struct message *message, void *context)
{
	struct peer *peer = context;

	(void)session;
	if (peer->kind == PEER_INBOUND)
		inbound_message(peer, message);
	else if (peer->kind == PEER_COORDINATOR)
		coordinator_message(peer, message);
	else if (peer->kind == PEER_ANNOUNCE && message->type == MESSAGE_VERDICT)
		announce_answered(peer);
	else if (peer->kind == PEER_GUIDE)
		guide_message(peer, message);
	else if (peer->kind == PEER_ANNOUNCE && message->type == MESSAGE_LIST)
		inquiry_answered(peer, message);
	else if (peer->kind == PEER_ANNOUNCE && message->type == MESSAGE_GRANT)
		host_register(&peer->peers->agent->host, &message->grant.reg, clock_now_ms());
	else if (peer->kind == PEER_ANNOUNCE && message->type == MESSAGE_REGISTER)
		host_register(&peer->peers->agent->host, &message->reg, clock_now_ms());
}

static void peer_closed(struct session *session, const char *why, void *context)
{
	struct peer *peer = context;
	struct peers *peers = peer->peers;

	if (peer->kind == PEER_LISTENER)
		return;
	if (peer->kind == PEER_COORDINATOR) {
		if (strcmp(peers->last_why, why) != 0)
			log_event(LOG_LEVEL_WARNING,
				  &(const struct log_fields){.event = "coordinator-lost",
							     .peer = session_peer_address(session)},
				  "coordinator %s", why);
		(void)snprintf(peers->last_why, sizeof(peers->last_why), "%s", why);
		peers->redial_ms = clock_now_ms() + peers->redial_delay_ms;
		peers->redial_delay_ms *= 2;
		if (peers->redial_delay_ms > REDIAL_MAX_MS)
			peers->redial_delay_ms = REDIAL_MAX_MS;
		host_connected(&peers->agent->host, false, clock_now_ms());
		peers->failures++;
		candidate_next(peers);
	} else if (peer->kind == PEER_SUCCESSOR) {
		host_successor(&peers->agent->host, false, false);
	}
	peer_free(peer);
}

static const struct session_events peer_events = {
    .ready = peer_ready,
    .message = peer_message,
    .closed = peer_closed,
};

struct peer *peer_dial(struct peers *peers, enum peer_kind kind, const struct list_agent *agent)
{
	struct peer *peer = peer_new(peers, kind);
	struct failure failure;

	if (peer == NULL)
		return NULL;
	if (kind == PEER_ANNOUNCE)
		peers->announces++;
	if (session_dial(peers->agent->base, agent->address, agent->key, &peers->agent->identity,
			 &peer_events, peer, &peer->session, &failure) != 0) {
		log_line(LOG_LEVEL_WARNING, "%s", failure.text);
		peer_free(peer);
		return NULL;
	}
	return peer;
}

int peers_open(struct agent *agent, struct peers **out, struct failure *failure)
{
	struct peers *peers = calloc(1, sizeof(*peers));
	int error;

	if (peers == NULL)
		return failure_set(failure, ENOMEM, "peers: no memory");
	peers->agent = agent;
	peers->listening.kind = PEER_LISTENER;
	peers->listening.peers = peers;
	peers->redial_delay_ms = REDIAL_MIN_MS;
	error = session_listen(agent->base, agent->config->listen, &agent->identity, &peer_events,
			       &peers->listening, &peers->listener, failure);
	if (error == 0)
		error = session_listen_local(agent->base, agent->config->control_socket,
					     CONTROL_MODE, &agent->identity, &peer_events,
					     &peers->listening, &peers->control, failure);
	if (error != 0) {
		peers_close(peers);
		return error;
	}
	*out = peers;
	return 0;
}

void peers_close(struct peers *peers)
{
	if (peers == NULL)
		return;
	while (peers->first != NULL)
		peer_close(peers->first);
	session_listener_free(peers->listener);
	session_listener_free(peers->control);
	free(peers);
}

void peers_rekey(struct peers *peers)
{
	for (struct peer *peer = peers->first; peer != NULL; peer = peer->next)
		if (!session_is_local(peer->session))
			session_end_soon(peer->session, "its keys have changed here: the session "
							"is made anew");
}

const struct session_counts *peers_counts(const struct peers *peers, bool control)
{
	return session_listener_counts(control ? peers->control : peers->listener);
}

uint32_t peers_sessions(const struct peers *peers)
{
	uint32_t count = 0;

	for (const struct peer *peer = peers->first; peer != NULL; peer = peer->next)
		count += peer->ready;
	return count;
}

/* ---- what the core sends ---- */

void peers_renew(struct peers *peers, const struct renew *renew)
{
	struct agent *agent = peers->agent;
	struct message message = {.type = MESSAGE_RENEW};
	struct grant grant;

	message.renew = *renew;
	if (agent->coord.state != COORD_IDLE) {
		message.renew.vote = agent_vote(agent, agent->identity.public_key);
		if (coord_renew(&agent->coord, agent->identity.public_key, 0, &message.renew,
				clock_now_ms(), &grant))
			host_grant(&agent->host, &grant, clock_now_ms());
		return;
	}
	message.renew.vote = agent_vote(agent, peers->coordinator_key);
	if (coordinator_ready(peers))
		peer_send(peers->coordinator, &message);
}

static void document_want(struct peers *peers, const uint8_t hash[LIST_HASH_BYTES])
{
	for (uint32_t i = 0; i < WANTED_MAX; i++)
		if (memcmp(peers->wanted[i], hash, LIST_HASH_BYTES) == 0)
			return;
	memcpy(peers->wanted[peers->wanted_turn++ % WANTED_MAX], hash, LIST_HASH_BYTES);
}

bool document_wanted(const struct peers *peers, const void *document, size_t bytes)
{
	uint8_t hash[LIST_HASH_BYTES];
	struct failure failure;
	uint32_t signatures;
	size_t body_bytes;

	if (document_split(document, bytes, &body_bytes, &signatures, &failure) != 0)
		return false;
	document_hash(document, body_bytes, hash);
	for (uint32_t i = 0; i < WANTED_MAX; i++)
		if (memcmp(peers->wanted[i], hash, LIST_HASH_BYTES) == 0)
			return true;
	return false;
}

void peers_fetch(struct peers *peers, const uint8_t hash[LIST_HASH_BYTES])
{
	struct message message = {.type = MESSAGE_LIST_GET};

	message.list_get.request = ASKED_BY_HASH;
	memcpy(message.list_get.hash, hash, LIST_HASH_BYTES);
	if (coordinator_ready(peers))
		peer_send(peers->coordinator, &message);
	else if (peers->guide != NULL && peers->guide->ready)
		peer_send(peers->guide, &message);
	/* A coordinator itself asks those who come to it. */
	if (peers->agent->coord.state == COORD_IDLE)
		return;
	document_want(peers, hash);
	for (struct peer *peer = peers->first, *next; peer != NULL; peer = next) {
		next = peer->next;
		if (!peer->ready || !peer->renews)
			continue;
		peer->asked++;
		peer_send(peer, &message);
	}
}

void peers_tell(struct peers *peers, const struct reg *reg)
{
	struct message message = {.type = MESSAGE_REGISTER};

	message.reg = *reg;
	for (struct peer *peer = peers->first, *next; peer != NULL; peer = next) {
		next = peer->next;
		if (peer->ready && peer->renews)
			peer_send(peer, &message);
	}
}
