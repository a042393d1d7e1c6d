/* peers_internal.h - what the files of the daemon's sessions share; nobody else includes it. */
#ifndef MCROSTER_PEERS_INTERNAL_H
#define MCROSTER_PEERS_INTERNAL_H

#include "daemon/agent.h"
#include "daemon/peers.h"
#include "list/order.h"
#include "net/session.h"

#define RELAYS_MAX    64u
#define OFFERS_MAX    16u
#define WANTED_MAX    8u
#define REDIAL_MIN_MS 50u
#define REDIAL_MAX_MS 1000u

enum peer_kind {
	PEER_LISTENER,	  /* the context of a session that is not ready yet */
	PEER_INBOUND,	  /* somebody came to us */
	PEER_COORDINATOR, /* we went to the coordinator */
	PEER_SUCCESSOR,	  /* we went to the coordinator of the pending list, to prove that we can */
	PEER_GUIDE,	  /* we ask a listed agent for newer lists: our coordinator is not there */
	PEER_ANNOUNCE /* we bring the list to an agent that was never heard of, or ask it first */
};

struct peer {
	enum peer_kind kind;
	struct peers *peers;
	struct session *session;
	bool ready;
	uint32_t questions; /* of an announcement, not answered yet */
	bool elsewhere;	    /* it said that others coordinate */
	bool renews;	    /* it asked for a lease: the register is pushed to it */
	uint32_t asked;	    /* documents that were asked for where it came to us, not answered yet */
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

/* A document that was accepted here, by a step that is not stored yet. */
struct offer {
	struct peer *origin; /* NULL: free */
	uint64_t request, term, serial, until_ms;
	char text[MESSAGE_TEXT_BYTES];
};

struct peers {
	struct agent *agent;
	struct session_listener *listener, *control;
	struct peer listening;
	struct peer *first;
	uint32_t count;
	struct peer *coordinator; /* our session to it, or NULL */
	bool asking;		  /* it is to a candidate who may know more than we do */
	uint8_t coordinator_key[LIST_HOST_KEY_BYTES];
	char coordinator_address[LIST_ADDRESS_MAX + 1];
	uint64_t redial_ms, redial_delay_ms;
	uint32_t failures; /* of dialling the coordinator, in a row */
	struct peer *successor, *guide;
	uint64_t successor_ms, guide_ms, guide_fetch_ms;
	uint32_t guide_turn;
	char last_why[FAILURE_BYTES];
	uint64_t refusals, refusals_ms; /* told to the log; when to look again */
	uint64_t announce_ms;
	uint32_t announces, announce_turn;
	uint64_t relay_id;
	struct relay relay[RELAYS_MAX];
	struct offer offer[OFFERS_MAX];
	uint8_t wanted[WANTED_MAX][LIST_HASH_BYTES]; /* of documents: what was asked for last */
	uint32_t wanted_turn;
};

/* Sessions (peers.c). */
struct peer *peer_dial(struct peers *peers, enum peer_kind kind, const struct list_agent *agent);
void peer_close(struct peer *peer);
void peer_send(struct peer *peer, const struct message *message);
/* What an agent that may know nothing has to know, in an announcement. */
void announce_bring(struct peer *peer);
bool coordinator_ready(const struct peers *peers);
/* The same, and it is taken for the coordinator. */
bool coordinator_found(const struct peers *peers);

#define ANNOUNCE_FAILOVER 2u /* an announcement's other questions */
#define ANNOUNCE_KEYS	  3u
/* Of several candidates for coordinator the next one is tried. */
void candidate_next(struct peers *peers);
void announce_answered(struct peer *peer);
void inquiry_answered(struct peer *peer, const struct message *message);
/* What another agent than the coordinator tells one who looks for it. */
void guide_message(struct peer *peer, const struct message *message);

/* What a LIST answers (peers_answer.c). */
#define ASKED_BY_HASH 1u
#define ASKED_NEWEST  2u

/* Is it a document that peers_fetch asked for lately? */
bool document_wanted(const struct peers *peers, const void *document, size_t bytes);

/* What comes in (peers_answer.c). */
void peer_ask_newest(struct peer *peer);
/* A coordinator that has just begun asks an agent that has not come to it: is there another one, or
 * a list that we missed? */
void peer_inquire(struct peer *peer);
void inbound_message(struct peer *peer, const struct message *message);
void coordinator_message(struct peer *peer, const struct message *message);
void verdict_send(struct peer *peer, uint64_t request, uint8_t code, const char *text);
void status_send(struct peer *peer, uint64_t request, bool cluster);

/* Documents that are offered here (peers_offer.c). */
void offer_answer(struct peer *peer, const struct message *message);
void offers_forget(struct peers *peers, const struct peer *origin);

/* Questions for the coordinator (peers_relay.c). */
void relay_drop(struct relay *relay);
/* Sends it where the session is up and it was not sent yet. */
void relay_try(struct peers *peers, struct relay *relay);
bool relay_add(struct peer *origin, uint8_t type, uint64_t request, uint32_t timeout_ms,
	       const struct message *offer);
void relay_answered(struct peers *peers, const struct message *message);
void relay_gave_up(struct peers *peers, struct relay *relay);

#endif
