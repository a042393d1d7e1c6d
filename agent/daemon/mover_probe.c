/* mover_probe.c - see mover_probe.h. */
#include "daemon/mover_probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define PROBE_TTL 30

enum {
	STORED,	     /* the item is being stored at the own server */
	LOOKED_UP,   /* it is being looked for at the other */
	STILL_THERE, /* and again at its own, so that its absence says something */
	REMOVED,
};

static void replied(struct mover_command *command, const struct mc_reply *reply);

static void probe_end(struct mover_probe *probe, bool ok)
{
	probe->running = false;
	probe->ended(probe, probe->context, ok);
}

static void probe_failed(struct mover_probe *probe, const char *what, const struct mc_reply *reply)
{
	(void)snprintf(probe->why, sizeof(probe->why), "%s: %.*s", what, (int)reply->text_bytes,
		       reply->code == MC_LOST ? "" : reply->text);
	probe_end(probe, false);
}

static void probe_send(struct mover_probe *probe, struct mover_peer *peer, unsigned state)
{
	struct mc_conn *conn = mover_peer_conn(peer);
	char *room = mc_conn_room(conn, MC_COMMAND_MAX);
	size_t bytes;

	probe->state = state;
	if (room == NULL) {
		(void)snprintf(probe->why, sizeof(probe->why), "its connection was lost");
		probe_end(probe, false);
		return;
	}
	if (state == STORED) {
		probe->left = true;
		bytes = mc_write_set(room, &probe->key, 1, 0, 0, PROBE_TTL);
		memcpy(room + bytes, "p\r\n", 3);
		bytes += 3;
	} else if (state == REMOVED) {
		bytes = mc_write_delete(room, &probe->key);
	} else {
		bytes = mc_write_get_cas(room, &probe->key);
	}
	mc_conn_send(conn, bytes, &probe->command);
}

static void replied(struct mover_command *command, const struct mc_reply *reply)
{
	struct mover_probe *probe = (struct mover_probe *)command;

	switch (probe->state) {
	case STORED:
		if (reply->code != MC_HD || !reply->has_cas) {
			probe_failed(probe, "it does not store the probe item", reply);
			return;
		}
		probe->cas = reply->cas;
		if (probe->other != NULL)
			probe_send(probe, probe->other, LOOKED_UP);
		else
			probe_send(probe, probe->own, REMOVED);
		return;
	case LOOKED_UP:
		if (reply->code != MC_HD && reply->code != MC_EN) {
			probe_failed(probe, "the probe item cannot be looked for", reply);
			return;
		}
		probe->same = reply->code == MC_HD;
		probe_send(probe, probe->own, STILL_THERE);
		return;
	case STILL_THERE:
		if (reply->code != MC_HD && !probe->same) {
			probe_failed(probe, "the probe item did not stay", reply);
			return;
		}
		probe_send(probe, probe->own, REMOVED);
		return;
	default:
		if (reply->code == MC_LOST) {
			probe_failed(probe, "its connection was lost", reply);
			return;
		}
		probe->left = false;
		probe_end(probe, true);
	}
}

void mover_probe_start(struct mover_probe *probe, const struct pass *pass, struct mover_peer *own,
		       struct mover_peer *other,
		       void (*ended)(struct mover_probe *probe, void *context, bool ok),
		       void *context)
{
	uint8_t random[PASS_PROBE_RANDOM_BYTES], key[MC_KEY_MAX];

	*probe = (struct mover_probe){.command.replied = replied,
				      .running = true,
				      .left = probe->left,
				      .key = probe->key,
				      .own = own,
				      .other = other,
				      .ended = ended,
				      .context = context};
	if (probe->left) {
		probe_send(probe, own, STORED);
		return;
	}
	/* At this size it neither blocks for long nor comes back short. */
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		(void)snprintf(probe->why, sizeof(probe->why),
			       "no random numbers for the probe item");
		probe_end(probe, false);
		return;
	}
	(void)mc_key_write(key, pass_probe_key(pass, random, key), &probe->key);
	probe_send(probe, own, STORED);
}
