/* link.h - mcadmin's conversation with one agent: a request, its answer, within a deadline.
 *
 * Runs a session on a private event loop, so that every call here simply blocks until it is done.
 * A link whose session ended dials again at the next request: an agent may be restarted while a
 * change is watched.  One thread.
 */
#ifndef MCROSTER_ADMIN_LINK_H
#define MCROSTER_ADMIN_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list/failure.h"
#include "list/list.h"
#include "net/message.h"

#define LINK_PATH_MAX 107u /* of a socket address */

struct link;

/* Which agent, and what is needed to speak to it. */
struct link_peer {
	char cluster[LIST_NAME_MAX + 1]; /* "" is enough for a control socket */
	char path[LINK_PATH_MAX + 1];	 /* control socket; "" for a remote agent */
	char address[LIST_ADDRESS_MAX + 1];
	uint8_t key[32], psk[32]; /* remote only */
};

/* Makes a link; nothing is dialled before the first request.  A remote agent sees a host key made
 * for this link: an observer.  The pre-shared key moves into the link: peer->psk is wiped.
 * -ENOMEM. */
int link_new(struct link_peer *peer, struct link **link, struct failure *failure);
void link_free(struct link *link); /* NULL is fine */

/* From now on SIGINT and SIGTERM end the call under way, and every later one, with -EINTR. */
int link_catch_interrupt(struct link *link, struct failure *failure);

/* Once this time is over, the call under way and every later one end. */
int link_limit(struct link *link, uint64_t ms, struct failure *failure);

/* The requests.  -EINTR; -ETIMEDOUT or -ECONNRESET when it was sent but not answered; anything else
 * before it was sent (-ETIME: the limit is over).  The sentence names the agent.  Results are
 * malloc'd, owned by the caller, and have a NUL after their last byte. */

/* The active list's document.  -ENOENT when the agent has none. */
int link_list_get(struct link *link, char **document, size_t *document_bytes,
		  struct failure *failure);
/* A document of any kind by its hash (all zero: the active list, as above).  -ENOENT: the agent has
 * none with it, and does not get it within three seconds.  What comes is not checked: it may be
 * another. */
int link_document_get(struct link *link, const uint8_t hash[LIST_HASH_BYTES], char **document,
		      size_t *document_bytes, struct failure *failure);
/* `text` is the agent's sentence, fit for a terminal. */
int link_offer(struct link *link, const void *document, size_t document_bytes,
	       enum verdict *verdict, char text[MESSAGE_TEXT_BYTES], struct failure *failure);
int link_status_get(struct link *link, enum status_scope scope, char **body, size_t *body_bytes,
		    struct failure *failure);

/* PACE_UNCHANGED, PACE_ADAPTIVE_UNCHANGED leave a limit as it is.  `text` as above. */
int link_pace(struct link *link, uint64_t rate_keys, uint64_t rate_bytes, uint8_t adaptive,
	      enum verdict *verdict, char text[MESSAGE_TEXT_BYTES], struct failure *failure);

/* Ends the session; the next request dials.  For a pause in which nobody turns the event loop: the
 * agent may be gone after it. */
void link_hang_up(struct link *link);

/* Waits; -EINTR when interrupted.  It ends early, with 0, when the limit is over. */
int link_pause(struct link *link, uint32_t ms, struct failure *failure);

/* "agent 10.0.0.1:11280" or "agent at /run/mcroster/web.control", for sentences. */
const char *link_peer_name(const struct link *link);
/* The options that name it, for a command to type: "--cluster web", "--agent PATH". */
const char *link_peer_options(const struct link *link);

#endif
