/* peers.c - see peers.h. */
#include "daemon/peers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent.h"
#include "daemon/lists.h"
#include "daemon/log.h"
#include "daemon/status.h"
#include "net/session.h"

#define PEERS_MAX	  (COORD_HOSTS_MAX + 64u)
#define CONTROL_MODE	  0660u
#define RELAYS_MAX	  64u
#define RELAY_OFFER_MS	  10000u
#define RELAY_STATUS_MS	  2000u
#define REDIAL_MIN_MS	  50u
#define REDIAL_MAX_MS	  1000u
#define ANNOUNCE_EVERY_MS 1000u
#define ANNOUNCE_AFTER_MS 3000u
#define ANNOUNCES_MAX	  8u

enum peer_kind {
	PEER_LISTENER,	  /* the context of a session that is not ready yet */
	PEER_INBOUND,	  /* somebody came to us */
	PEER_COORDINATOR, /* we went to the coordinator */
	PEER_ANNOUNCE	  /* we bring the list to an agent that was never heard of */
};

struct peer {
	enum peer_kind kind;
	struct peers *peers;
	struct session *session;
	bool ready;
	bool renews; /* it asked for a lease: the register is pushed to it */
	struct peer *next, **link;
};

/* A question that the coordinator has to answer, for somebody who asked us. */
struct relay {
	uint64_t id; /* 0: free */
	struct peer *origin;
	uint64_t request;
	uint8_t type; /* MESSAGE_OFFER or MESSAGE_STATUS_GET */
	uint64_t until_ms;
	bool sent;
	uint8_t *body; /* of an OFFER that is not sent yet */
	size_t body_bytes;
};

struct peers {
	struct agent *agent;
	struct session_listener *listener, *control;
	struct peer listening;
	struct peer *first;
	uint32_t count;
	struct peer *coordinator; /* our session to it, or NULL */
	uint8_t coordinator_key[LIST_HOST_KEY_BYTES];
	char coordinator_address[LIST_ADDRESS_MAX + 1];
	uint64_t redial_ms, redial_delay_ms;
	char last_why[FAILURE_BYTES];
	uint64_t announce_ms;
	uint32_t announces, announce_turn;
	uint64_t relay_id;
	struct relay relay[RELAYS_MAX];
};

static const struct session_events peer_events;

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

static void relay_drop(struct relay *relay)
{
	free(relay->body);
	memset(relay, 0, sizeof(*relay));
}

static void peer_free(struct peer *peer)
{
	struct peers *peers = peer->peers;

	for (uint32_t i = 0; i < RELAYS_MAX; i++)
		if (peers->relay[i].id != 0 && peers->relay[i].origin == peer)
			relay_drop(&peers->relay[i]);
	if (peer->kind == PEER_ANNOUNCE)
		peers->announces--;
	if (peers->coordinator == peer)
		peers->coordinator = NULL;
	*peer->link = peer->next;
	if (peer->next != NULL)
		peer->next->link = peer->link;
	peers->count--;
	free(peer);
}

static void peer_close(struct peer *peer)
{
	session_close(peer->session);
	peer_free(peer);
}

static void peer_send(struct peer *peer, const struct message *message)
{
	int error = session_send(peer->session, message);

	if (error != 0)
		log_line(LOG_LEVEL_WARNING, "%s: %s not sent: %s",
			 session_peer_address(peer->session), message_name(message->type),
			 strerror(-error));
}

static bool coordinator_ready(const struct peers *peers)
{
	return peers->coordinator != NULL && peers->coordinator->ready;
}

/* ---- answers ---- */

static void verdict_send(struct peer *peer, uint64_t request, uint8_t code, const char *text)
{
	struct message message = {.type = MESSAGE_VERDICT};

	message.verdict.request = request;
	message.verdict.code = code;
	(void)snprintf(message.verdict.text, sizeof(message.verdict.text), "%s", text);
	peer_send(peer, &message);
}

static void status_send(struct peer *peer, uint64_t request, bool cluster)
{
	struct message message = {.type = MESSAGE_STATUS, .request = request};
	char *text;

	if (status_text(peer->peers->agent, cluster, &text, &message.body_bytes) != 0)
		return;
	message.body = (const uint8_t *)text;
	peer_send(peer, &message);
	free(text);
}

static void list_send(struct peer *peer, const struct message *question)
{
	struct message message = {.type = MESSAGE_LIST, .request = question->list_get.request};
	const struct agent *agent = peer->peers->agent;
	static const uint8_t active[LIST_HASH_BYTES];
	const struct list *list;

	if (memcmp(question->list_get.hash, active, LIST_HASH_BYTES) == 0)
		list = agent_list(agent);
	else
		list = lists_find(agent->lists, question->list_get.hash);
	if (list != NULL) {
		message.body = list->document;
		message.body_bytes = list->document_bytes;
	}
	peer_send(peer, &message);
}

static void renew_answer(struct peer *peer, const struct renew *renew)
{
	struct agent *agent = peer->peers->agent;
	const struct list_agent *coordinator = agent_coordinator(agent);
	struct message message;

	memset(&message, 0, sizeof(message));
	if (agent->coord.state == COORD_IDLE) {
		if (coordinator == NULL)
			return;
		message.type = MESSAGE_ELSEWHERE;
		(void)snprintf(message.elsewhere.name, sizeof(message.elsewhere.name), "%s",
			       coordinator->name);
		(void)snprintf(message.elsewhere.address, sizeof(message.elsewhere.address), "%s",
			       coordinator->address);
		peer_send(peer, &message);
		return;
	}
	peer->renews = true;
	message.type = MESSAGE_GRANT;
	if (coord_renew(&agent->coord, session_peer_key(peer->session), renew, clock_now_ms(),
			&message.grant))
		peer_send(peer, &message);
	agent_pump(agent);
}

/* ---- questions for the coordinator ---- */

static void relay_try(struct peers *peers, struct relay *relay)
{
	struct message message = {.type = relay->type};

	if (relay->sent || !coordinator_ready(peers))
		return;
	if (relay->type == MESSAGE_OFFER) {
		message.request = relay->id;
		message.body = relay->body;
		message.body_bytes = relay->body_bytes;
	} else {
		message.status_get.request = relay->id;
		message.status_get.scope = STATUS_CLUSTER;
	}
	relay->sent = session_send(peers->coordinator->session, &message) == 0;
}

static bool relay_add(struct peer *origin, uint8_t type, uint64_t request, uint32_t timeout_ms,
		      const struct message *offer)
{
	struct peers *peers = origin->peers;
	struct relay *relay = NULL;

	for (uint32_t i = 0; i < RELAYS_MAX && relay == NULL; i++)
		if (peers->relay[i].id == 0)
			relay = &peers->relay[i];
	if (relay == NULL)
		return false;
	if (offer != NULL) {
		relay->body = malloc(offer->body_bytes + 1);
		if (relay->body == NULL)
			return false;
		memcpy(relay->body, offer->body, offer->body_bytes);
		relay->body_bytes = offer->body_bytes;
	}
	relay->id = ++peers->relay_id;
	relay->origin = origin;
	relay->type = type;
	relay->request = request;
	relay->until_ms = clock_now_ms() + timeout_ms;
	relay_try(peers, relay);
	return true;
}

static struct relay *relay_find(struct peers *peers, uint64_t id, uint8_t type)
{
	for (uint32_t i = 0; id != 0 && i < RELAYS_MAX; i++)
		if (peers->relay[i].id == id && peers->relay[i].type == type)
			return &peers->relay[i];
	return NULL;
}

static void relay_answered(struct peers *peers, const struct message *message)
{
	struct message answer = *message;
	struct relay *relay;

	if (message->type == MESSAGE_VERDICT) {
		relay = relay_find(peers, message->verdict.request, MESSAGE_OFFER);
		if (relay == NULL)
			return;
		answer.verdict.request = relay->request;
	} else {
		relay = relay_find(peers, message->request, MESSAGE_STATUS_GET);
		if (relay == NULL)
			return;
		answer.request = relay->request;
	}
	peer_send(relay->origin, &answer);
	relay_drop(relay);
}

static void relay_gave_up(struct peers *peers, struct relay *relay)
{
	char text[MESSAGE_TEXT_BYTES];

	if (relay->type == MESSAGE_STATUS_GET) {
		status_send(relay->origin, relay->request, false);
	} else {
		(void)snprintf(text, sizeof(text), "coordinator at %s %s: try again, or push to it",
			       peers->coordinator_address,
			       relay->sent ? "did not answer" : "cannot be reached");
		verdict_send(relay->origin, relay->request, VERDICT_FAILED, text);
	}
	relay_drop(relay);
}

/* ---- what comes in ---- */

static void offer_answer(struct peer *peer, const struct message *message)
{
	struct agent *agent = peer->peers->agent;
	char text[MESSAGE_TEXT_BYTES];
	bool relay;
	uint8_t verdict =
	    agent_offer(agent, message->body, message->body_bytes, text, sizeof(text), &relay);

	if (!relay)
		verdict_send(peer, message->request, verdict, text);
	else if (!relay_add(peer, MESSAGE_OFFER, message->request, RELAY_OFFER_MS, message))
		verdict_send(peer, message->request, VERDICT_LATER, "too many questions are under way here");
	agent_pump(agent);
	peers_tick(peer->peers, clock_now_ms());
}

static void inbound_message(struct peer *peer, const struct message *message)
{
	struct agent *agent = peer->peers->agent;
	bool cluster;

	switch (message->type) {
	case MESSAGE_RENEW:
		if (!session_is_local(peer->session))
			renew_answer(peer, &message->renew);
		break;
	case MESSAGE_LIST_GET:
		list_send(peer, message);
		break;
	case MESSAGE_OFFER:
		offer_answer(peer, message);
		break;
	case MESSAGE_STATUS_GET:
		cluster = message->status_get.scope == STATUS_CLUSTER;
		if (!cluster || agent->coord.state != COORD_IDLE ||
		    !coordinator_ready(peer->peers) ||
		    !relay_add(peer, MESSAGE_STATUS_GET, message->status_get.request,
			       RELAY_STATUS_MS, NULL))
			status_send(peer, message->status_get.request, cluster);
		break;
	default:
		log_line(LOG_LEVEL_WARNING, "%s: %s is not for us: ignored",
			 session_peer_address(peer->session), message_name(message->type));
		break;
	}
}

static void coordinator_message(struct peer *peer, const struct message *message)
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
			agent_list_came(agent, message->body, message->body_bytes);
		break;
	case MESSAGE_VERDICT:
	case MESSAGE_STATUS:
		relay_answered(peer->peers, message);
		return;
	case MESSAGE_ELSEWHERE:
		log_line(LOG_LEVEL_WARNING, "agent %s does not coordinate: it says %s at %s does",
			 session_peer_name(peer->session), message->elsewhere.name,
			 message->elsewhere.address);
		return;
	default:
		return;
	}
	agent_pump(agent);
}

/* ---- sessions ---- */

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
	if (peer->kind == PEER_ANNOUNCE) {
		const struct list *list = agent_list(peers->agent);
		struct message message = {.type = MESSAGE_OFFER, .request = 1};

		message.body = list->document;
		message.body_bytes = list->document_bytes;
		peer_send(peer, &message);
	} else if (peer->kind == PEER_COORDINATOR) {
		peers->redial_delay_ms = REDIAL_MIN_MS;
		peers->last_why[0] = '\0';
		log_line(LOG_LEVEL_INFO, "connected to coordinator %s",
			 session_peer_address(session));
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
		peer_close(peer);
}

static void peer_closed(struct session *session, const char *why, void *context)
{
	struct peer *peer = context;
	struct peers *peers = peer->peers;

	(void)session;
	if (peer->kind == PEER_LISTENER)
		return;
	if (peer->kind == PEER_COORDINATOR) {
		if (strcmp(peers->last_why, why) != 0)
			log_line(LOG_LEVEL_WARNING, "coordinator at %s: %s",
				 peers->coordinator_address, why);
		(void)snprintf(peers->last_why, sizeof(peers->last_why), "%s", why);
		peers->redial_ms = clock_now_ms() + peers->redial_delay_ms;
		peers->redial_delay_ms *= 2;
		if (peers->redial_delay_ms > REDIAL_MAX_MS)
			peers->redial_delay_ms = REDIAL_MAX_MS;
		host_connected(&peers->agent->host, false, clock_now_ms());
	}
	peer_free(peer);
}

static const struct session_events peer_events = {
    .ready = peer_ready,
    .message = peer_message,
    .closed = peer_closed,
};

static struct peer *peer_dial(struct peers *peers, enum peer_kind kind,
			      const struct list_agent *agent)
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

const struct session_counts *peers_counts(const struct peers *peers)
{
	return session_listener_counts(peers->listener);
}

/* ---- what the core sends ---- */

void peers_renew(struct peers *peers, const struct renew *renew)
{
	struct agent *agent = peers->agent;
	struct message message = {.type = MESSAGE_RENEW};
	struct grant grant;

	if (agent->coord.state != COORD_IDLE) {
		if (coord_renew(&agent->coord, agent->config->host_public, renew, clock_now_ms(),
				&grant))
			host_grant(&agent->host, &grant, clock_now_ms());
		return;
	}
	message.renew = *renew;
	if (coordinator_ready(peers))
		peer_send(peers->coordinator, &message);
}

void peers_fetch(struct peers *peers, const uint8_t hash[LIST_HASH_BYTES])
{
	struct message message = {.type = MESSAGE_LIST_GET};

	message.list_get.request = 1;
	memcpy(message.list_get.hash, hash, LIST_HASH_BYTES);
	if (coordinator_ready(peers))
		peer_send(peers->coordinator, &message);
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

/* ---- keeping it up ---- */

static void coordinator_keep(struct peers *peers, uint64_t now_ms)
{
	const struct list_agent *coordinator = agent_coordinator(peers->agent);
	struct agent *agent = peers->agent;

	if (agent->coord.state != COORD_IDLE) {
		if (peers->coordinator != NULL)
			peer_close(peers->coordinator);
		if (!agent->host.connected)
			host_connected(&agent->host, true, now_ms);
		return;
	}
	if (coordinator == NULL || strcmp(coordinator->name, agent->config->name) == 0)
		return;
	if (peers->coordinator != NULL &&
	    (memcmp(peers->coordinator_key, coordinator->key, LIST_HOST_KEY_BYTES) != 0 ||
	     strcmp(peers->coordinator_address, coordinator->address) != 0)) {
		peer_close(peers->coordinator);
		host_connected(&agent->host, false, now_ms);
	}
	if (peers->coordinator != NULL || now_ms < peers->redial_ms)
		return;
	memcpy(peers->coordinator_key, coordinator->key, LIST_HOST_KEY_BYTES);
	(void)snprintf(peers->coordinator_address, sizeof(peers->coordinator_address), "%s",
		       coordinator->address);
	peers->redial_ms = now_ms + peers->redial_delay_ms;
	peers->coordinator = peer_dial(peers, PEER_COORDINATOR, coordinator);
}

static bool agent_heard_lately(const struct coord *coord, const struct list_agent *agent,
			       uint64_t now_ms)
{
	for (uint32_t i = 0; i < coord->host_count; i++)
		if (memcmp(coord->host[i].key, agent->key, LIST_HOST_KEY_BYTES) == 0)
			return coord->host[i].heard && now_ms < coord->host[i].heard_ms +
								    ANNOUNCE_AFTER_MS +
								    coord->change->steady_lease_ms;
	return false;
}

/* Listed agents that have not been heard of may not have any list: one is brought to them, a few at
 * a time, in turn. */
static void announce(struct peers *peers, uint64_t now_ms)
{
	const struct coord *coord = &peers->agent->coord;
	const struct list *lists[2] = {coord->active, coord->pending};

	if (coord->state != COORD_LEADING || coord->reg.term == 0 || now_ms < peers->announce_ms)
		return;
	peers->announce_ms = now_ms + ANNOUNCE_EVERY_MS;
	for (unsigned which = 0; which < 2; which++) {
		const struct list *list = lists[which];

		for (uint32_t i = 0; list != NULL && i < list->agent_count; i++) {
			const struct list_agent *agent =
			    &list->agents[(peers->announce_turn + i) % list->agent_count];

			if (peers->announces >= ANNOUNCES_MAX)
				return;
			if (strcmp(agent->name, peers->agent->config->name) != 0 &&
			    !agent_heard_lately(coord, agent, now_ms))
				(void)peer_dial(peers, PEER_ANNOUNCE, agent);
		}
	}
	peers->announce_turn++;
}

void peers_tick(struct peers *peers, uint64_t now_ms)
{
	coordinator_keep(peers, now_ms);
	announce(peers, now_ms);
	for (uint32_t i = 0; i < RELAYS_MAX; i++)
		if (peers->relay[i].id != 0 && now_ms >= peers->relay[i].until_ms)
			relay_gave_up(peers, &peers->relay[i]);
}
