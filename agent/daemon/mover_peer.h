/* mover_peer.h - a mover's connection to one memcached: dialled, asked who it is, dialled again.
 *
 * `up` is called once the server has said who it is, so whoever holds its numbers can see whether
 * it is the process they came from.  Between `up` and `down` commands may be sent.
 */
#ifndef MCROSTER_MOVER_PEER_H
#define MCROSTER_MOVER_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "core/pass.h"
#include "daemon/mover_watch.h"
#include "net/mc_conn.h"

/* Every command's context begins with this. */
struct mover_command {
	void (*replied)(struct mover_command *command, const struct mc_reply *reply);
};

struct mover_peer_info {
	struct pass_server server;
	uint64_t item_size_max;
	int64_t clock_ahead_s; /* its wall clock less ours */
	uint64_t curr_items;
	bool hash_is_expanding;
};

struct mover_peer;

struct mover_peer_events {
	void (*up)(void *context, struct mover_peer *peer);
	/* The connection is lost (every command was answered MC_LOST), or could not be made. */
	void (*down)(void *context, struct mover_peer *peer, bool was_up);
};

/* Begins to dial, and keeps at it with growing pauses.  `address` and `access` are borrowed.  NULL:
 * no memory. */
struct mover_peer *mover_peer_new(struct event_base *base, const char *address,
				  const struct mc_access *access, uint32_t op_timeout_ms,
				  uint32_t number, const struct mover_peer_events *events,
				  void *context);
void mover_peer_free(struct mover_peer *peer); /* no event follows; NULL is fine */

bool mover_peer_is_up(const struct mover_peer *peer);
struct mc_conn *mover_peer_conn(const struct mover_peer *peer); /* NULL unless up */
/* Grows with each connection: what was begun on an older one cannot be finished on a newer. */
uint32_t mover_peer_generation(const struct mover_peer *peer);
uint32_t mover_peer_number(const struct mover_peer *peer);
const struct mover_peer_info *mover_peer_info(const struct mover_peer *peer);
/* What was asked of it, for who watches it; counted by who sends. */
struct mover_own *mover_peer_own(struct mover_peer *peer);
const char *mover_peer_why(const struct mover_peer *peer); /* why it is down */

/* Hangs up (all outstanding: MC_LOST, then `down`) and dials again after a pause. */
void mover_peer_fail(struct mover_peer *peer, const char *why);

/* ---- the question "who are you", also asked around a dump ---- */

struct mover_ask {
	struct mover_command command;
	uint64_t time, uptime;
	unsigned answered, seen;
	bool failed;
	struct mover_peer_info *info;
	void (*asked)(struct mover_ask *ask, bool usable);
};

/* Sends stats, stats settings and mn; `asked` follows once all three are answered. */
void mover_ask_start(struct mover_ask *ask, struct mc_conn *conn, struct mover_peer_info *info,
		     void (*asked)(struct mover_ask *ask, bool usable));

#endif
