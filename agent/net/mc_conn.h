/* mc_conn.h - one pipelined TCP connection to a memcached, on a libevent loop.
 *
 * Commands are written straight into the connection's buffer and answered in their order; thousands
 * may be under way.  Nothing is allocated for a command.  When the connection ends, by itself or by
 * a time-out, every command that was not answered is answered MC_LOST: its outcome is unknown.
 * All calls from the loop's thread; each may be made from within an event.
 */
#ifndef MCROSTER_MC_CONN_H
#define MCROSTER_MC_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "list/failure.h"
#include "net/mc_access.h"
#include "net/mc_protocol.h"

struct mc_conn;

struct mc_conn_events {
	void (*ready)(void *context);
	/* `command` as it was given to mc_conn_send; the reply is borrowed for the call.  A command
	 * of many lines is answered once for each (MC_LINE), the last time with another code. */
	void (*reply)(void *context, void *command, const struct mc_reply *reply);
	/* After the last MC_LOST: the connection failed or never came up.  It is freed after this
	 * returns.  Not called after mc_conn_close. */
	void (*closed)(void *context, const char *why);
};

/* Dials; `ready` or `closed` follows, never from within this call.  While anything is outstanding
 * (the dialling too) and nothing comes or goes for timeout_ms, the connection ends.  value_max
 * bounds a reply's value.  `access` is borrowed for the connection's life; NULL: plainly.  -EINVAL
 * for an address that is not numeric, -ENOMEM, or a socket's error. */
int mc_conn_open(struct event_base *base, const char *address, const struct mc_access *access,
		 uint32_t timeout_ms, size_t value_max, const struct mc_conn_events *events,
		 void *context, struct mc_conn **conn, struct failure *failure);

/* Ends it and frees it; no event follows, no MC_LOST either.  NULL is fine. */
void mc_conn_close(struct mc_conn *conn);

/* Ends it as a failure: MC_LOST for what is outstanding, then `closed`, all before this returns. */
void mc_conn_fail(struct mc_conn *conn, const char *why);

/* Room for `bytes` at the end of what is to be sent, or NULL where the connection has ended or the
 * peer reads too slowly (64 MiB are queued already). */
char *mc_conn_room(struct mc_conn *conn, size_t bytes);
/* The command that was written there, `bytes` long, goes out. */
void mc_conn_send(struct mc_conn *conn, size_t bytes, void *command);
/* The same for a command answered by many lines. */
void mc_conn_send_lines(struct mc_conn *conn, size_t bytes, void *command);

/* Room for a quiet command, one that the server answers only where it failed: it must carry the
 * flags q and O<number>.  It is answered in its turn all the same: MC_HD once the connection knows
 * that the server is past it, the server's answer where that names it, and MC_UNSURE where an
 * error named none of several (any of them may have failed). */
char *mc_conn_room_quiet(struct mc_conn *conn, size_t bytes, uint32_t *number);
void mc_conn_send_quiet(struct mc_conn *conn, size_t bytes, void *command);
/* False once there was such an error on this connection: what is sent loud has its own answer. */
bool mc_conn_may_be_quiet(const struct mc_conn *conn);

/* Once it is ready: while it is held, nothing is read but by mc_conn_look, which delivers what has
 * come.  Its time-out goes on, so it must be looked at more often. */
void mc_conn_hold(struct mc_conn *conn, bool held);
void mc_conn_look(struct mc_conn *conn);

bool mc_conn_is_ready(const struct mc_conn *conn);
size_t mc_conn_outstanding(const struct mc_conn *conn);
/* When bytes last came or went, CLOCK_BOOTTIME: in `reply`, when that reply was read. */
uint64_t mc_conn_progress_ns(const struct mc_conn *conn);
/* What the server's settings say (item_size_max), once they are known. */
void mc_conn_set_value_max(struct mc_conn *conn, size_t value_max);

#endif
