/* peers_keep.c - keeps the session to the coordinator up, and brings lists to those without one. */
#include "daemon/peers_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent_internal.h"
#include "daemon/lists.h"
#include "daemon/log.h"

#define GUIDE_FAILURES	  3u
#define GUIDE_EVERY_MS	  2000u
#define REFUSALS_EVERY_MS 10000u
#define ASK_EVERY_MS	  1000u
#define ANNOUNCE_EVERY_MS 1000u
#define ANNOUNCE_AFTER_MS 3000u
#define ANNOUNCES_MAX	  8u

/* A candidate that led last and does not hear from the store who leads now asks the others in turn:
 * one of them leads, and grants, or knows who does.  NULL: there is none to ask. */
static const struct list_agent *candidate_to_ask(const struct agent *agent, uint64_t now_ms)
{
	const struct list *list = agent_list(agent);
	const uint32_t turn = (uint32_t)(now_ms / ASK_EVERY_MS);

	for (uint32_t i = 0; agent->coord.shared && i < list->coordinator_count; i++) {
		const struct list_agent *next =
		    &list->agents[list->coordinators[(turn + i) % list->coordinator_count]];

		if (strcmp(next->name, agent->config->name) != 0)
			return next;
	}
	return NULL;
}

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
	peers->asking = coordinator != NULL && strcmp(coordinator->name, agent->config->name) == 0;
	if (peers->asking)
		coordinator = candidate_to_ask(agent, now_ms);
	if (coordinator == NULL)
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

void candidate_next(struct peers *peers)
{
	const struct list *list = agent_list(peers->agent);

	if (list != NULL && list->coordinator_count > 1)
		agent_led_by(
		    peers->agent,
		    list->agents[list->coordinators[peers->failures % list->coordinator_count]]
			.name);
}

/* The pending list names another coordinator: every host proves before PREPARE ends that it can
 * reach it. */
static void successor_keep(struct peers *peers, uint64_t now_ms)
{
	struct agent *agent = peers->agent;
	const struct reg *known = &agent->host.known;
	const struct list *pending =
	    known->next_epoch != 0 ? lists_find(agent->lists, known->pending) : agent_list(agent);
	const struct list_agent *next =
	    pending != NULL ? &pending->agents[pending->coordinator] : NULL;

	if (next == NULL || known->term == 0 || strcmp(next->name, known->coordinator) == 0) {
		if (peers->successor != NULL)
			peer_close(peers->successor);
		host_successor(&agent->host, false, false);
		return;
	}
	if (strcmp(next->name, agent->config->name) == 0) {
		host_successor(&agent->host, true,
			       register_compare(&agent->host.stored, known) == 0 &&
				   host_lists_match(known, agent->host_change));
		return;
	}
	if (peers->successor != NULL || now_ms < peers->successor_ms)
		return;
	peers->successor_ms = now_ms + REDIAL_MAX_MS;
	peers->successor = peer_dial(peers, PEER_SUCCESSOR, next);
}

/* The coordinator does not answer: some other listed agent may know a newer list, or a newer
 * register and with it the keys that the lists are signed under by now. */
static void guide_keep(struct peers *peers, uint64_t now_ms)
{
	struct agent *agent = peers->agent;
	const struct list *list = agent_list(agent);
	const struct list_agent *next;

	if (peers->guide != NULL && (coordinator_found(peers) || now_ms >= peers->guide_ms))
		peer_close(peers->guide);
	if (peers->guide != NULL && peers->guide->ready && agent->host.known.term != 0 &&
	    now_ms >= peers->guide_fetch_ms &&
	    !host_lists_match(&agent->host.known, agent->host_change)) {
		peers->guide_fetch_ms = now_ms + HOST_FETCH_RETRY_MS;
		agent_fetch(agent, &agent->host.known);
	}
	if (list == NULL || agent->coord.state != COORD_IDLE || peers->failures < GUIDE_FAILURES ||
	    coordinator_found(peers) || peers->guide != NULL || now_ms < peers->guide_ms)
		return;
	peers->guide_ms = now_ms + GUIDE_EVERY_MS;
	next = &list->agents[peers->guide_turn++ % list->agent_count];
	if (strcmp(next->name, agent->config->name) != 0)
		peers->guide = peer_dial(peers, PEER_GUIDE, next);
}

void guide_message(struct peer *peer, const struct message *message)
{
	struct agent *agent = peer->peers->agent;

	if (message->type == MESSAGE_LIST && message->body_bytes > 0)
		agent_document_came(agent, message->body, message->body_bytes,
				    message->request == ASKED_NEWEST);
	else if (message->type == MESSAGE_REGISTER && agent->host.known.term != 0)
		host_register(&agent->host, &message->reg, clock_now_ms());
	else if (message->type == MESSAGE_GRANT && agent->host.known.term != 0)
		host_register(&agent->host, &message->grant.reg, clock_now_ms());
	agent_pump(agent);
}

void inquiry_answered(struct peer *peer, const struct message *message)
{
	struct agent *agent = peer->peers->agent;

	if (message->body_bytes == 0 && coord_beginning(&agent->coord)) {
		announce_bring(peer); /* it shows its register, or that it has none, by coming */
		return;
	}
	if (message->body_bytes > 0)
		agent_document_came(agent, message->body, message->body_bytes, true);
	peer_close(peer);
	agent_pump(agent);
}

void announce_answered(struct peer *peer)
{
	if (--peer->questions == 0)
		peer_close(peer);
}

static bool agent_heard_lately(const struct coord *coord, const struct list_agent *agent,
			       uint64_t now_ms)
{
	for (uint32_t i = 0; i < coord->host_count; i++)
		/* By name: the list may name a key that the agent is still to come with. */
		if (coord->host[i].listed && strcmp(coord->host[i].name, agent->name) == 0)
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

	if (coord->state == COORD_IDLE || coord->state == COORD_HALTED ||
	    now_ms < peers->announce_ms)
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

/* Whoever is turned away at the door is told to the log, a stream of them now and then. */
static void refusals_tell(struct peers *peers, uint64_t now_ms)
{
	const struct session_counts *counts = session_listener_counts(peers->listener);
	const uint64_t refusals = counts->refused_mac + counts->refused_handshake +
				  counts->refused_rate + counts->refused_half_open +
				  counts->timed_out;

	if (refusals == peers->refusals || now_ms < peers->refusals_ms)
		return;
	log_event(LOG_LEVEL_WARNING, &(const struct log_fields){.event = "turned-away"},
		  "%llu connection%s turned away, the last: %s",
		  (unsigned long long)(refusals - peers->refusals),
		  refusals - peers->refusals == 1 ? "" : "s",
		  session_listener_last_refusal(peers->listener));
	peers->refusals = refusals;
	peers->refusals_ms = now_ms + REFUSALS_EVERY_MS;
}

void peers_tick(struct peers *peers, uint64_t now_ms)
{
	refusals_tell(peers, now_ms);
	coordinator_keep(peers, now_ms);
	successor_keep(peers, now_ms);
	guide_keep(peers, now_ms);
	announce(peers, now_ms);
	peers_stored(peers, now_ms);
	for (uint32_t i = 0; i < RELAYS_MAX; i++)
		if (peers->relay[i].id != 0 && now_ms >= peers->relay[i].until_ms)
			relay_gave_up(peers, &peers->relay[i]);
}
