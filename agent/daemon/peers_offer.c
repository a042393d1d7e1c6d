/* peers_offer.c - documents that are offered here, and when that is answered.
 *
 * What this agent takes as coordinator is a step of the register, and "accepted" is said when that
 * step is stored: before, a crash or the end of the leadership drops it, and nobody would offer it
 * again.
 */
#include "daemon/peers_internal.h"

#include <stdio.h>
#include <string.h>

#define RELAY_OFFER_MS 10000u
/* Sooner than the agent that relayed it gives up. */
#define STORE_MS 8000u

static struct offer *offer_free(struct peers *peers)
{
	for (uint32_t i = 0; i < OFFERS_MAX; i++)
		if (peers->offer[i].origin == NULL)
			return &peers->offer[i];
	return NULL;
}

static void offer_answer_stored(struct offer *offer, const struct agent *agent, uint64_t now_ms)
{
	char text[MESSAGE_TEXT_BYTES];

	switch (coord_step(&agent->coord, offer->term, offer->serial)) {
	case COORD_STEP_STANDS:
		verdict_send(offer->origin, offer->request, VERDICT_ACCEPTED, offer->text);
		break;
	case COORD_STEP_LOST:
		(void)snprintf(text, sizeof(text), "agent %s could not store it: %.400s",
			       agent->config->name, agent->step_lost);
		verdict_send(offer->origin, offer->request, VERDICT_LATER, text);
		break;
	case COORD_STEP_STAGED:
		if (now_ms < offer->until_ms)
			return;
		(void)snprintf(text, sizeof(text), "agent %s has not stored it yet%s%.400s",
			       agent->config->name, agent->register_trouble[0] != '\0' ? ": " : "",
			       agent->register_trouble);
		verdict_send(offer->origin, offer->request, VERDICT_LATER, text);
		break;
	}
	offer->origin = NULL;
}

void peers_stored(struct peers *peers, uint64_t now_ms)
{
	for (uint32_t i = 0; i < OFFERS_MAX; i++)
		if (peers->offer[i].origin != NULL)
			offer_answer_stored(&peers->offer[i], peers->agent, now_ms);
}

void offers_forget(struct peers *peers, const struct peer *origin)
{
	for (uint32_t i = 0; i < OFFERS_MAX; i++)
		if (peers->offer[i].origin == origin)
			peers->offer[i].origin = NULL;
}

/* Holds the answer back while a step is being stored: it may be the one that was asked for, now or
 * by an earlier offer of the same document. */
static bool offer_waits(struct peer *peer, uint64_t request, const char *text)
{
	struct peers *peers = peer->peers;
	const struct coord *coord = &peers->agent->coord;
	struct offer *offer = offer_free(peers);

	if (coord->state != COORD_LEADING || coord->staged.term == 0 || offer == NULL)
		return false;
	offer->origin = peer;
	offer->request = request;
	offer->term = coord->staged.term;
	offer->serial = coord->staged.serial;
	offer->until_ms = clock_now_ms() + STORE_MS;
	(void)snprintf(offer->text, sizeof(offer->text), "%s", text);
	return true;
}

void offer_answer(struct peer *peer, const struct message *message)
{
	struct agent *agent = peer->peers->agent;
	char text[MESSAGE_TEXT_BYTES];
	bool relay;
	uint8_t verdict;

	if (offer_free(peer->peers) == NULL) {
		verdict_send(peer, message->request, VERDICT_LATER,
			     "too many documents are being stored here");
		return;
	}
	verdict =
	    agent_offer(agent, message->body, message->body_bytes, text, sizeof(text), &relay);
	if (relay && !relay_add(peer, MESSAGE_OFFER, message->request, RELAY_OFFER_MS, message))
		verdict_send(peer, message->request, VERDICT_LATER,
			     "too many questions are under way here");
	else if (!relay &&
		 (verdict != VERDICT_ACCEPTED || !offer_waits(peer, message->request, text)))
		verdict_send(peer, message->request, verdict, text);
	agent_pump(agent);
	peers_tick(peer->peers, clock_now_ms());
}
