/* peers_relay.c - questions that only the coordinator can answer, for somebody who asked us. */
#include "daemon/peers_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/status.h"

void relay_drop(struct relay *relay)
{
	free(relay->body);
	memset(relay, 0, sizeof(*relay));
}

void relay_try(struct peers *peers, struct relay *relay)
{
	struct message message = {.type = relay->type};

	if (relay->sent || !coordinator_found(peers))
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

bool relay_add(struct peer *origin, uint8_t type, uint64_t request, uint32_t timeout_ms,
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

/* The coordinator's view, and what this agent has to say beside it.  Who was taken for the
 * coordinator may be none, and his own view is not what was asked for: this agent's is. */
static void relay_status(struct peers *peers, const struct relay *relay,
			 const struct message *status)
{
	struct message answer = {.type = MESSAGE_STATUS, .request = relay->request};
	char *text;

	if (status_asked(peers->agent, status->body, status->body_bytes, &text,
			 &answer.body_bytes) != 0) {
		status_send(relay->origin, relay->request, false);
		return;
	}
	answer.body = (const uint8_t *)text;
	peer_send(relay->origin, &answer);
	free(text);
}

void relay_answered(struct peers *peers, const struct message *message)
{
	struct message answer = *message;
	struct relay *relay;

	if (message->type == MESSAGE_VERDICT) {
		relay = relay_find(peers, message->verdict.request, MESSAGE_OFFER);
		if (relay == NULL)
			return;
		answer.verdict.request = relay->request;
		peer_send(relay->origin, &answer);
	} else {
		relay = relay_find(peers, message->request, MESSAGE_STATUS_GET);
		if (relay == NULL)
			return;
		relay_status(peers, relay, message);
	}
	relay_drop(relay);
}

void relay_gave_up(struct peers *peers, struct relay *relay)
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
