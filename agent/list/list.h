/* list.h - the cluster's server list: parsed, bounded, immutable.
 *
 * One canonical text form (docs: mcroster-list(5)); anything else is refused with the line number
 * and the reason.  A `struct list` is never changed after it was made; every pointer in it belongs
 * to it.  Not tied to any thread.
 */
#ifndef MCROSTER_LIST_H
#define MCROSTER_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list/distribution.h"
#include "list/document.h"
#include "list/failure.h"

#define LIST_SERVERS_MAX	 1024u
#define LIST_AGENTS_MAX		 1024u
#define LIST_COORDINATORS_MAX	 32u
#define LIST_NAME_MAX		 63u
#define LIST_ADDRESS_MAX	 111u
#define LIST_PREFIX_MAX		 63u
#define LIST_LABEL_MAX		 111u
#define LIST_SLOTS_MIN		 1024u
#define LIST_SLOTS_MAX		 65536u
#define LIST_SLOTS_DEFAULT	 16384u
#define LIST_WEIGHT_MAX		 1000000u
#define LIST_HASH_BYTES		 DOCUMENT_HASH_BYTES
#define LIST_HOST_KEY_BYTES	 32u
#define LIST_CREATED_CHARS	 20u /* 2026-11-22T10:00:00Z */
#define LIST_LINE_MAX		 512u /* bytes of a line without its newline; the slots line is exempt */
#define LIST_EPOCH_MAX		 ((uint64_t)INT64_MAX)
#define LIST_WIPE_MAX		 ((uint64_t)INT64_MAX)
#define LIST_TIME_MS_MAX	 3600000u /* lease, steady-lease, op-timeout */
#define LIST_LEASE_MS_MIN	 100u
#define LIST_OP_TIMEOUT_MS_MIN	 10u
#define LIST_UNAWARE_POLL_MS_MIN 10u

enum list_isolation { LIST_ISOLATION_SERVE = 0, LIST_ISOLATION_BYPASS = 1 };

struct list_agent {
	char name[LIST_NAME_MAX + 1];
	char address[LIST_ADDRESS_MAX + 1]; /* numeric, "10.0.0.1:11280" or "[::1]:11280" */
	uint8_t key[LIST_HOST_KEY_BYTES];   /* X25519, public */
};

struct list_server {
	char name[LIST_NAME_MAX + 1];
	char address[LIST_ADDRESS_MAX + 1];
	uint32_t weight; /* 1..LIST_WEIGHT_MAX */
	uint32_t agent;	 /* index into agents: who works for it */
	/* What a ring hashes for it, before "-" and a number; "": what is made of its address. */
	char label[LIST_LABEL_MAX + 1];
	bool has_wipe; /* the line says wipe=N */
	uint64_t wipe; /* items that PREPARE may drop there at most */
};

/* What a server or an agent is known by: a name at another address is another server. */
struct list_identity {
	char name[LIST_NAME_MAX + 1];
	char address[LIST_ADDRESS_MAX + 1];
};

struct list {
	char cluster[LIST_NAME_MAX + 1];
	uint64_t epoch; /* 1.. */
	bool has_parent;
	uint8_t parent[LIST_HASH_BYTES];
	char created[LIST_CREATED_CHARS + 1];
	enum distribution distribution;
	uint32_t key_hash;   /* MCR_HASH_..., where the distribution says one */
	uint32_t slot_count; /* DISTRIBUTION_SLOTS: a power of two; else 0 */
	uint32_t lease_ms, steady_lease_ms, op_timeout_ms; /* 3 * op_timeout < lease */
	uint32_t client_quorum;				   /* per cent */
	bool registration_required;
	enum list_isolation isolation;
	/* Clients that know nothing of phases use the servers, and poll for the list at least this
	 * often; 0: there are none. */
	uint32_t unaware_poll_ms;
	char prefix[LIST_PREFIX_MAX + 1]; /* "" when the list is for all keys */
	uint32_t coordinator;		  /* index into agents: the first of coordinators */
	/* The candidates where the register lives outside, else one; in the author's order.  A
	 * count of 0 is written as `coordinator` alone; a parsed list has at least 1. */
	uint32_t coordinator_count;
	uint32_t coordinators[LIST_COORDINATORS_MAX]; /* indexes into agents, distinct */
	uint32_t agent_count;
	struct list_agent *agents;
	uint32_t server_count;
	struct list_server *servers;
	uint32_t giveup_count;
	struct list_identity *giveups; /* servers of the parent that leave and are gone already */
	uint16_t *slots;	       /* slot_count entries, each < server_count; or NULL */
	uint8_t hash[LIST_HASH_BYTES]; /* of the body: what a child names as its parent */
	uint8_t *document;	       /* the exact bytes it came from, signatures included */
	size_t document_bytes;
};

/* Parses a body whose signatures were checked (or are not needed: mcadmin on its own files).
 * `document` is body plus signature lines; *list is owned by the caller.
 * -EBADMSG with "line N: ..." for anything that is not canonical, -ENOMEM. */
int list_parse(const void *document, size_t document_bytes, struct list **list,
	       struct failure *failure);

/* document_verify, then list_parse, then: the cluster's name is `cluster` (-EINVAL).  Nothing of
 * the body is looked at before its signatures were found good. */
int list_open(const void *document, size_t document_bytes, const struct trust *trust,
	      const char *cluster, struct list **list, struct failure *failure);

/* Writes the canonical body of a list (its hash and document fields are not read).  *body is
 * malloc'd, owned by the caller.  The result is parsed again before it is returned, so what
 * list_write makes list_parse takes; -EINVAL with the reason where the fields break a rule.  The
 * giveups may have any order, they are written in that of their names. */
int list_write(const struct list *list, void **body, size_t *body_bytes, struct failure *failure);

void list_free(struct list *list); /* NULL is fine */

/* May `next` follow `active` (NULL: nothing is active yet)?  `highest_epoch` is the greatest ever
 * accepted, aborted ones included.  Checks epoch, parent (`none` when nothing is active, and only
 * then), that cluster and prefix stay, no server is renamed at one address, and each server given
 * up is one of `active`'s.  -ESTALE for epoch or parent, -EINVAL for identity; says which rule. */
int list_may_follow(const struct list *next, const struct list *active, uint64_t highest_epoch,
		    struct failure *failure);

/* Index of an agent or server by name, or -1. */
int list_agent_find(const struct list *list, const char *name);
int list_server_find(const struct list *list, const char *name);

/* Does the list name this server, by name and address, as given up? */
bool list_gives_up(const struct list *list, const char *name, const char *address);

/* Is the agent with this index one of those that may coordinate? */
bool list_may_coordinate(const struct list *list, uint32_t agent);

/* Is the key one of the list's own (see `prefix`)? */
bool list_key_covered(const struct list *list, const void *key, size_t key_bytes);

/* Numeric "a.b.c.d:port" or "[v6]:port", port 1..65535, in the one canonical spelling. */
bool list_address_valid(const char *address);

#endif
