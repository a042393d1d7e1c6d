/* mover_peer.c - see mover_peer.h. */
#include "daemon/mover_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MIN_MS	   50u
#define PAUSE_MAX_MS	   1000u
#define PAUSE_FAILED_MS	   250u /* it came up and was no use: not at once again */
#define VALUE_MAX_AT_FIRST (1u << 20)

struct mover_peer {
	struct mover_ask ask; /* first: a command's context leads back to the peer */
	struct event_base *base;
	const char *address;
	const struct mc_access *access;
	uint32_t op_timeout_ms, number, generation, pause_ms;
	bool up;
	struct mc_conn *conn;
	struct event *redial;
	struct mover_peer_info info;
	const struct mover_peer_events *events;
	void *context;
	struct mover_own own;
	char why[160];
};

static void peer_dial(struct mover_peer *peer);

static void redial_later(struct mover_peer *peer)
{
	struct timeval pause = {.tv_sec = peer->pause_ms / 1000,
				.tv_usec = (suseconds_t)(peer->pause_ms % 1000) * 1000};

	(void)event_add(peer->redial, &pause);
	peer->pause_ms = peer->pause_ms * 2 < PAUSE_MAX_MS ? peer->pause_ms * 2 : PAUSE_MAX_MS;
}

static void peer_asked(struct mover_ask *ask, bool usable)
{
	struct mover_peer *peer = (struct mover_peer *)ask;

	if (!usable) {
		mc_conn_fail(peer->conn, "its answer to stats makes no sense");
		return;
	}
	/* An item's limit counts key and header too: a value is below it. */
	mc_conn_set_value_max(peer->conn, (size_t)peer->info.item_size_max);
	peer->up = true;
	peer->generation++;
	peer->pause_ms = PAUSE_MIN_MS;
	peer->why[0] = '\0';
	peer->events->up(peer->context, peer);
}

static void conn_ready(void *context)
{
	struct mover_peer *peer = context;

	mover_ask_start(&peer->ask, peer->conn, &peer->info, peer_asked);
}

static void conn_reply(void *context, void *command, const struct mc_reply *reply)
{
	struct mover_command *asked = command;

	(void)context;
	asked->replied(asked, reply);
}

static void conn_closed(void *context, const char *why)
{
	struct mover_peer *peer = context;
	bool was_up = peer->up;

	peer->conn = NULL;
	peer->up = false;
	(void)snprintf(peer->why, sizeof(peer->why), "%s", why);
	redial_later(peer);
	peer->events->down(peer->context, peer, was_up);
}

static const struct mc_conn_events conn_events = {
    .ready = conn_ready, .reply = conn_reply, .closed = conn_closed};

static void peer_dial(struct mover_peer *peer)
{
	struct failure failure;

	if (mc_conn_open(peer->base, peer->address, peer->access, peer->op_timeout_ms,
			 VALUE_MAX_AT_FIRST, &conn_events, peer, &peer->conn, &failure) < 0) {
		peer->conn = NULL;
		(void)snprintf(peer->why, sizeof(peer->why), "%.159s", failure.text);
		redial_later(peer);
	}
}

static void redial_event(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	peer_dial(argument);
}

struct mover_peer *mover_peer_new(struct event_base *base, const char *address,
				  const struct mc_access *access, uint32_t op_timeout_ms,
				  uint32_t number, const struct mover_peer_events *events,
				  void *context)
{
	struct mover_peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL)
		return NULL;
	peer->base = base;
	peer->address = address;
	peer->access = access;
	peer->op_timeout_ms = op_timeout_ms;
	peer->number = number;
	peer->pause_ms = PAUSE_MIN_MS;
	peer->events = events;
	peer->context = context;
	peer->redial = event_new(base, -1, 0, redial_event, peer);
	if (peer->redial == NULL) {
		free(peer);
		return NULL;
	}
	peer_dial(peer);
	return peer;
}

void mover_peer_free(struct mover_peer *peer)
{
	if (peer == NULL)
		return;
	mc_conn_close(peer->conn);
	event_free(peer->redial);
	free(peer);
}

bool mover_peer_is_up(const struct mover_peer *peer)
{
	return peer->up;
}

struct mc_conn *mover_peer_conn(const struct mover_peer *peer)
{
	return peer->up ? peer->conn : NULL;
}

uint32_t mover_peer_generation(const struct mover_peer *peer)
{
	return peer->generation;
}

uint32_t mover_peer_number(const struct mover_peer *peer)
{
	return peer->number;
}

const struct mover_peer_info *mover_peer_info(const struct mover_peer *peer)
{
	return &peer->info;
}

struct mover_own *mover_peer_own(struct mover_peer *peer)
{
	return &peer->own;
}

const char *mover_peer_why(const struct mover_peer *peer)
{
	return peer->why;
}

void mover_peer_fail(struct mover_peer *peer, const char *why)
{
	if (peer->pause_ms < PAUSE_FAILED_MS)
		peer->pause_ms = PAUSE_FAILED_MS;
	if (peer->conn != NULL)
		mc_conn_fail(peer->conn, why);
}
