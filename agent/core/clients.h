/* clients.h - the client processes of this host: who is registered, what each is known to run, and
 * whether any of them holds the present generation up.
 *
 * Sans-I/O: events with the time (CLOCK_BOOTTIME, ms) go in; the answers are looked up.  The socket
 * and the memory in which clients count are daemon/clients.h's.
 *
 * The rules (design: adopting a phase on a host):
 *  - a generation is adopted by the clients when none runs an operation of an older one any more,
 *    or op_timeout after its publication;
 *  - a client that is gone holds up what is published within op_timeout of its going, until
 *    op_timeout after it: its commands may still be under way.  If its process lives on without its
 *    registration, it holds up the next generation too: from that one on it gets no plans;
 *  - who is not registered is not known.  Where registration is optional, and in the first
 *    generation after it was, or after the agent started, op_timeout is waited for;
 *  - client-quorum per cent of the clients have to have said that they use the generation, or have
 *    begun an operation by it.  That one runs nothing says only that it holds nothing up.
 */
#ifndef MCROSTER_CORE_CLIENTS_H
#define MCROSTER_CORE_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "list/failure.h"

#define CLIENTS_MAX	    16384u
#define CLIENTS_PER_UID_MAX 8192u
/* A client's counts tell the newest generation and the three before it apart. */
#define CLIENTS_COUNTED 3u

/* How a client stands with the present generation. */
enum client_standing {
	CLIENT_ADOPTED, /* uses it, and runs nothing older */
	CLIENT_IDLE,	/* runs nothing older, and has not used it yet */
	CLIENT_SILENT,	/* runs something older, or cannot be looked at and has not answered */
	CLIENT_REFUSED, /* says that it cannot use it */
	CLIENT_GONE, /* its connection has ended, less than op_timeout ago or its process lives on
		      */
	CLIENT_STANDINGS
};

/* What was seen in a client's counts. */
struct client_marks {
	bool older;	  /* an operation of an older generation is under way, or may be */
	uint32_t used;	  /* the newest generation that an operation was planned by; 0: none */
	uint32_t refused; /* the newest that it could not use; 0: none */
	uint32_t reason;  /* why: enum mcr_error, negated */
};

struct clients_entry {
	bool used, gone;
	bool lives;  /* gone, and its process may live on */
	bool looked; /* at its counts, since the present generation was published */
	struct client_marks marks;
	uint32_t acknowledged; /* the newest generation it has answered for; 0: none */
	uint32_t refused, reason;
	uint32_t uid;
	int32_t pid; /* 0: not known here */
	uint64_t since_ms, gone_ms;
};

struct clients_limits {
	uint32_t total;	  /* 1..CLIENTS_MAX */
	uint32_t per_uid; /* 1..total */
};

struct clients_totals {
	uint64_t registered, refused_total, refused_uid; /* since the agent started */
};

struct clients {
	struct clients_limits limits;
	struct clients_entry *client; /* limits.total of them */
	uint32_t used;		      /* entries in use lie below this number */
	uint32_t generation;	      /* the present one; 0: none was published since we started */
	uint32_t settled; /* the newest generation that nothing older than it runs beside */
	bool required;	  /* the present one demands registration */
	bool unknown_too; /* clients that are not known may run something older */
	uint64_t published_ms;
	uint32_t op_timeout_ms;
	struct clients_totals totals;
};

/* -ENOMEM. */
int clients_init(struct clients *clients, const struct clients_limits *limits);
void clients_free(struct clients *clients);

/* May a user have one more?  -EDQUOT, -EUSERS with the sentence. */
int clients_room(const struct clients *clients, uint32_t uid, struct failure *failure);
/* A process registers; *number is its own until clients_remove.  As clients_room. */
int clients_add(struct clients *clients, uint32_t uid, int32_t pid, uint64_t now_ms,
		uint32_t *number, struct failure *failure);
/* Its connection has ended. */
void clients_gone(struct clients *clients, uint32_t number, uint64_t now_ms);
/* Those that are gone and can be forgotten once their process is known to have ended: the next one
 * from *number on.  False: there is none. */
bool clients_forgettable(const struct clients *clients, uint32_t *number, uint64_t now_ms);
/* Does its process live on?  Where it does not, or has been waited for, it is forgotten. */
void clients_forget(struct clients *clients, uint32_t number, bool lives, uint64_t now_ms);

/* It says that it runs nothing older than `generation`; that it cannot use it.  -EPROTO: no such
 * generation was published. */
int clients_acknowledge(struct clients *clients, uint32_t number, uint32_t generation);
int clients_refuse(struct clients *clients, uint32_t number, uint32_t generation, uint32_t reason);
/* Its counts were looked at, after the publication and a barrier. */
void clients_marked(struct clients *clients, uint32_t number, const struct client_marks *marks);

/* A generation was published.  `required`: it demands registration. */
void clients_published(struct clients *clients, uint32_t generation, bool required,
		       uint32_t op_timeout_ms, uint64_t now_ms);

/* Does nobody run an operation of an older generation any more?  It stays so until the next
 * publication. */
bool clients_settled(struct clients *clients, uint64_t now_ms);
/* Is the share of clients missing that `quorum` (per cent) demands? */
bool clients_quorum_missing(const struct clients *clients, uint32_t quorum, uint64_t now_ms);

enum client_standing client_standing(const struct clients *clients, uint32_t number,
				     uint64_t now_ms);
const char *client_standing_name(enum client_standing standing);
void clients_count(const struct clients *clients, uint64_t now_ms,
		   uint32_t count[CLIENT_STANDINGS]);

#endif
