/* ask.h - one connection to a memcached on which reads are pipelined: many `mg` in one packet.
 *
 * libmemcached (wire.c) carries one command at a time; a checker that reads tens of thousands of
 * keys a second needs many under way at once.  Nothing here waits: asker_fds and asker_go are for
 * a poll loop (wire_pool_exchange).  An answer that is not memcached's own, or a connection that
 * fails, fails every query that is still open and closes the connection by a reset; the next query
 * opens a new one.  One thread per asker.
 */
#ifndef MCROSTER_TESTS_ASK_H
#define MCROSTER_TESTS_ASK_H

#include <poll.h>
#include <stdbool.h>

#include "wire.h"

struct asker;

/* A connection to `host` (numeric) and port; made by the first query, and logged in to with "USER
 * PASSWORD" (borrowed; NULL: none).  NULL: no memory. */
struct asker *asker_new(const char *host, unsigned short port, const char *login);
void asker_free(struct asker *asker); /* NULL is fine */

/* Queues a query, which stays the caller's; its answer is set when it is through. */
void asker_queue(struct asker *asker, struct wire_query *query);
bool asker_busy(const struct asker *asker); /* a query is not through */

/* Sends and receives what can be without waiting; then says in *fd what poll is to wait for. */
void asker_go(struct asker *asker, struct pollfd *fd);

/* Every query that is still open has failed, for this reason. */
void asker_fail(struct asker *asker, const char *reason);
const char *asker_reason(const struct asker *asker);

#endif
