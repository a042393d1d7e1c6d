/* election.h - who leads where the register is one key of a replicated store with leases (etcd).
 *
 * Sans-I/O: (state, reply, now) -> actions.  The owner sends each request that election_next asks
 * for, answers each exactly once by election_reply, and passes the notices on in their order.  Time
 * is CLOCK_BOOTTIME in ms.
 *
 * The store holds, under the cluster's prefix: the leader key (a candidate's name, bound to its
 * lease), the register key (core/register_value.h), and by their hashes the lists and the keys
 * documents.  A transaction compares revisions and then does one thing or another.
 *
 * The invariants:
 *  - A candidate leads from the moment it has created the leader key (its create revision was 0)
 *    under a lease of its own, and only while now < until: the time at which the last answered
 *    keep-alive was SENT, plus the lease, minus a second.  The store counts the lease from a later
 *    moment, so the key is there at least a second longer.  A reply that comes after that time
 *    changes nothing, and whoever is stopped meanwhile looks at the clock first.
 *  - The register is replaced by one transaction that demands our leader key's create revision and
 *    the register's mod revision.  So of all that was ever sent for one revision one at most takes
 *    effect, however late, and only while we lead.
 *  - "Stored" is said when the store has said so or shows it.  "Not stored" is said only when it is
 *    certain: where a reply was lost the same transaction is sent again, which either takes effect
 *    or shows what stands, until the outcome is known or the leadership has ended.
 *  - A list or keys document is there before a register that names it.  A list goes with the step
 *    that names it no longer.  Keys documents stay, each put after the version before it: where one
 *    is, the chain to it is, and a candidate that has slept through versions can prove the newest.
 *  - What stands in the register is refused, and nobody leads from it, when it is damaged, another
 *    cluster's, of a newer format, moved away, older than what this candidate has seen before, or
 *    gone where there was one; the last two but for a signed failover, which begins the next term
 *    at this candidate.
 */
#ifndef MCROSTER_ELECTION_H
#define MCROSTER_ELECTION_H

#include "core/register_value.h"
#include "list/keys.h"

#define ELECTION_TTL_MIN_S  3u
#define ELECTION_TTL_MAX_S  60u
#define ELECTION_MARGIN_MS  1000u
#define ELECTION_REFUSED_MS 2000u /* after a refusal: it will not pass by itself at once */
#define ELECTION_LISTS	    2u	  /* a register names two */

enum election_request {
	ELECTION_READ,	    /* leader key and register key, in one transaction */
	ELECTION_GRANT,	    /* a lease of ttl_s */
	ELECTION_CAMPAIGN,  /* leader key absent: put it with `lease`; read both keys either way */
	ELECTION_LIST_GET,  /* the body of `hash`; the owner takes it, or says it is not held */
	ELECTION_KEYS_GET,  /* likewise; it may ask for the version before it */
	ELECTION_LIST_PUT,  /* leader key of leader_revision: put the body of `hash` */
	ELECTION_KEYS_PUT,  /* likewise */
	ELECTION_STORE,	    /* leader key of leader_revision and register key of register_revision:
			     * put `value`, drop the lists `drop`; otherwise read both keys */
	ELECTION_REVOKE,    /* the lease */
	ELECTION_KEEPALIVE, /* of the lease; may run beside another request */
};

enum election_outcome {
	ELECTION_DONE,
	ELECTION_REFUSED, /* with `why`; it was not carried out, as far as the store says */
	ELECTION_UNKNOWN  /* with `why`; it may have been carried out, or may yet be */
};

/* One key as a transaction found it. */
struct election_key {
	bool held;
	uint64_t create_revision, mod_revision, lease;
	const char *value; /* borrowed for the call */
	size_t bytes;
};

struct election_reply {
	enum election_request request;
	enum election_outcome outcome;
	const char *why;
	bool succeeded;	   /* the comparisons of CAMPAIGN, the PUTs, STORE held */
	uint64_t revision; /* at which the transaction was done */
	uint64_t lease;	   /* GRANT */
	uint32_t ttl_s;	   /* GRANT, KEEPALIVE; 0: the lease is gone */
	struct election_key leader, reg;
	const uint8_t *before; /* KEYS_GET: the document to be asked for next; NULL: none */
};

enum election_action_type {
	ELECTION_ACT_REQUEST,
	ELECTION_ACT_STORED,  /* ok, why */
	ELECTION_ACT_LOST,    /* why */
	ELECTION_ACT_LEADER,  /* name */
	ELECTION_ACT_ELECTED, /* reg, until_ms */
	ELECTION_ACT_LEADS,   /* until_ms */
	ELECTION_ACT_TROUBLE  /* why; "" : over */
};

struct election_action {
	enum election_action_type type;
	enum election_request request;
	uint32_t timeout_ms;
	uint32_t ttl_s;
	uint64_t lease, leader_revision, register_revision, until_ms;
	const uint8_t *hash; /* this and what follows: borrowed until the next event */
	uint32_t drop_count;
	const uint8_t *drop[ELECTION_LISTS];
	const char *value; /* of the register key, NUL-terminated; text of a notice: name, why */
	bool ok;
	const struct reg *reg; /* NULL: there is none yet */
};

struct election_options {
	const char *cluster, *name; /* copied */
	uint32_t ttl_s;
	uint64_t known_term, known_serial; /* the newest register this host knows; (0, 0): none */
	bool take_moved; /* a register that was moved away is no reason not to lead */
};

/* What this agent may stand for. */
enum election_stand {
	ELECTION_STAND_BEGIN, /* to lead, and to begin the register where there is none */
	ELECTION_STAND_FOUND, /* to lead from the register that stands */
	ELECTION_STAND_NOT    /* it only looks who leads */
};

enum election_state {
	ELECTION_LOOKING,
	ELECTION_GRANTING,
	ELECTION_CAMPAIGNING,
	ELECTION_LISTING, /* it leads, and fetches keys and lists before it says so */
	ELECTION_LEADING,
	ELECTION_RELEASING
};

enum election_write {
	ELECTION_WRITE_NONE,
	ELECTION_WRITE_KEYS,
	ELECTION_WRITE_LIST,
	ELECTION_WRITE_REGISTER,
	ELECTION_WRITE_CHECK /* refused: does it stand nevertheless? */
};

struct election_lane {
	bool busy, stale; /* stale: what was asked for has become pointless */
	uint64_t sent_ms, after_ms;
	enum election_request request;
};

struct election {
	char cluster[LIST_NAME_MAX + 1], name[LIST_NAME_MAX + 1];
	uint32_t ttl_ms;
	bool take_moved, resigned, say_resigned;
	bool refused; /* the attempt that is being given up */
	enum election_state state;
	enum election_stand stand;
	struct election_lane main, keep;
	uint64_t lease, until_ms; /* lease 0: none */
	uint64_t leader_revision;

	bool held, moved; /* the register as it stands */
	struct reg reg;
	uint64_t register_revision; /* 0: there is none */
	uint64_t seen_revision, seen_term, seen_serial;
	uint64_t failover_term; /* to be begun by a signed order; 0: none */
	bool failover_ours;	/* by this candidate */
	uint32_t list_at;	/* LISTING, ELECTION_WRITE_LIST */
	uint32_t keys_at;	/* LISTING: how many were asked for; ELECTION_WRITE_KEYS */
	bool keys_wanted;	/* LISTING: before any list, which may be signed under them */
	uint8_t keys_want[LIST_HASH_BYTES];

	enum election_write write;
	bool write_unknown, write_moved;
	uint32_t write_lists, write_keys;
	uint8_t write_hash[ELECTION_LISTS][LIST_HASH_BYTES];
	uint8_t write_keys_hash[KEYS_VERSIONS_MAX][LIST_HASH_BYTES];
	struct reg staged;
	char value[REGISTER_VALUE_BYTES];

	/* What is to be said, in this order. */
	bool say_stored, stored_ok, say_lost, say_leader, say_elected, say_leads, say_trouble;
	char stored_why[FAILURE_BYTES], lost_why[FAILURE_BYTES], trouble[FAILURE_BYTES];
	char leader[LIST_NAME_MAX + 1];
};

void election_init(struct election *election, const struct election_options *options,
		   uint64_t now_ms);

/* Carries out one more thing; false: nothing now. */
bool election_next(struct election *election, uint64_t now_ms, struct election_action *action);
/* When election_next should be asked again at the latest, if nothing happens before. */
uint64_t election_wake_ms(const struct election *election);

void election_reply(struct election *election, const struct election_reply *reply, uint64_t now_ms);

/* Replaces the register; answered by ELECTION_ACT_STORED, or by ELECTION_ACT_LOST alone: then the
 * outcome is unknown and shows when somebody is elected.  First the bodies of `lists` hashes are
 * put.  -EAGAIN: not leading; -EBUSY: one is being written; -ESTALE: not newer than what stands. */
int election_write(struct election *election, const struct reg *reg, bool moved,
		   const uint8_t (*lists)[LIST_HASH_BYTES], uint32_t list_count, uint64_t now_ms);

/* The keys documents, in the order of their versions, that the next election_write is to put before
 * everything else.  -EBUSY: a register is being written; -EINVAL: more than there can be. */
int election_write_keys(struct election *election, const uint8_t (*keys)[LIST_HASH_BYTES],
			uint32_t count);

/* Gives the leadership back and stands in no election any more; it still tells who leads.
 * ELECTION_ACT_LOST says when it is given back. */
void election_resign(struct election *election, uint64_t now_ms);

/* A candidate that is none any more gives its leadership back.  A failover overrides FOUND. */
void election_stand(struct election *election, enum election_stand stand, uint64_t now_ms);

/* A signed order makes one candidate begin `term`, though the register be gone or an old one. Until
 * it has begun nobody else leads: the hosts go by the order, and would not come to him. */
void election_failover(struct election *election, uint64_t term, bool ours, uint64_t now_ms);

/* A register (term, serial) is known to exist, from others: an older one is not to be led from. */
void election_known(struct election *election, uint64_t term, uint64_t serial, uint64_t now_ms);

/* May the candidate act as the leader at this very moment? */
bool election_leads(const struct election *election, uint64_t now_ms);

#endif
