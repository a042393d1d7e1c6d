/* owed.h - invalidations that a client could not deliver and the agent owes on its behalf.
 *
 * A key is owed from the moment it is on disk until a delete of it, planned and carried out as a
 * client's under the rule of the present phase, has succeeded.  Whatever the key's history was:
 * once that delete is through, no server holds a value older than it, so the operation of the
 * client is complete then and not before.
 *
 * Sans-I/O, like host.h: events with the time (CLOCK_BOOTTIME, ms) go in, owed_next gives out what
 * is to be done until it answers false.
 *
 * The invariants:
 *  - nothing is answered (OWED_ANSWER) before it is on disk, and nothing is complete
 *    (OWED_COMPLETE) before its removal is on disk or it is owed again;
 *  - an execution counts only if all its steps succeeded within op_timeout of its planning, before
 *    the lease's deadline as it stood then, and before another generation was published.  Steps are
 *    sent one after the other, each only while that can still be so;
 *  - what is added after an execution was planned is not covered by it: the key is executed again;
 *  - an execution has ended when op_timeout has passed since its planning: a command that is not
 *    answered by then is cut off (OWED_HANG_UP);
 *  - nothing is dropped: a key that cannot be delivered stays, and beyond the caps it is refused.
 *
 * A server that fails is left alone for a while, growing up to OWED_BACKOFF_MAX_MS, and then tried
 * with one key; keys that need it wait with it and hold nobody else up.
 */
#ifndef MCROSTER_OWED_H
#define MCROSTER_OWED_H

#include <mcroster.h>

#include "core/owed_journal.h"
#include "core/register.h"
#include "list/change.h"

#define OWED_KEYS_MAX	    65536u
#define OWED_UIDS_MAX	    256u
#define OWED_SERVERS_MAX    (2 * LIST_SERVERS_MAX)
#define OWED_RUNNING_MAX    64u	 /* executions at a time */
#define OWED_BATCH_RECORDS  128u /* records in one append */
#define OWED_BACKOFF_MIN_MS 50u
#define OWED_BACKOFF_MAX_MS 5000u
#define OWED_STORE_RETRY_MS 1000u
#define OWED_COMPACT_BYTES  (1u << 20) /* a journal below this is never rewritten for its size */
/* A journal holds more than twice what is owed only below OWED_COMPACT_BYTES, or for a batch. */
#define OWED_JOURNAL_MAX                                                                           \
	(OWED_JOURNAL_HEADER_BYTES + 2u * OWED_KEYS_MAX * OWED_RECORD_MAX + OWED_COMPACT_BYTES +   \
	 OWED_BATCH_RECORDS * OWED_RECORD_MAX)

/* Entries: what is complete keeps its own until that was told. */
#define OWED_ENTRIES_MAX (OWED_KEYS_MAX + OWED_BATCH_RECORDS)

#define OWED_NONE UINT32_MAX

struct owed_limits {
	uint32_t keys;	       /* 1..OWED_KEYS_MAX */
	uint32_t keys_per_uid; /* 1.. */
};

/* What clients of this host go by now: what the segment says, and as long as it says it. */
struct owed_present {
	const struct change *change; /* borrowed until the next owed_present; NULL: nothing yet */
	enum phase phase;	     /* of the register that was published */
	uint32_t generation;	     /* of the segment */
};

enum owed_reply {
	OWED_REPLY_DELETED, /* or was not there */
	OWED_REPLY_REFUSED, /* any other answer */
	OWED_REPLY_LOST	    /* none: not connected, or the connection ended */
};

enum owed_action_type {
	OWED_APPEND,   /* put `bytes` at the journal's end, on disk, then owed_stored */
	OWED_REWRITE,  /* write a new journal (owed_snapshot) and put it in the old one's place, on
			* disk, then owed_stored; no other event before that */
	OWED_ANSWER,   /* all adds of the key up to `up_to` are accepted, or refused: not stored */
	OWED_COMPLETE, /* all accepted adds of the key up to `up_to` are complete */
	OWED_SEND,     /* delete `key` at `server`, then owed_replied with `command` */
	OWED_HANG_UP   /* end the connection to `address`: it has not answered in time */
};

struct owed_action {
	enum owed_action_type type;
	const void *bytes; /* borrowed until owed_stored */
	size_t length;
	uint32_t
	    entry; /* the key's number; another key may get it after OWED_COMPLETE, or refusal */
	uint64_t up_to;
	bool accepted;
	const uint8_t *key; /* borrowed until the next event */
	uint8_t key_bytes;
	uint32_t server;     /* number in the present change */
	const char *address; /* borrowed until the next event */
	uint32_t command;
};

struct owed_list {
	uint32_t head, tail, count;
};

struct owed_entry;

/* One delete on its way through its steps. */
struct owed_execution {
	uint8_t state; /* private */
	uint8_t step, failed;
	uint32_t entry, command;
	uint32_t view;	      /* where another is current by now it cannot count any more */
	uint32_t generation;  /* by which it was planned */
	uint64_t covers;      /* adds up to this one */
	uint64_t timeout_ms;  /* planned + op_timeout */
	uint64_t deadline_ms; /* a success after it does not count */
	struct mcr_plan plan;
	char address[LIST_ADDRESS_MAX + 1]; /* of the step under way */
};

struct owed_server {
	struct owed_list parked; /* keys that wait for it */
	uint32_t running, backoff_ms;
	uint64_t retry_ms;
};

struct owed_uid {
	uint32_t uid, keys;
};

struct owed_counts {
	uint64_t accepted;   /* adds answered with accepted */
	uint64_t completed;  /* keys removed, or owed again, after an execution that counted */
	uint64_t executions; /* begun */
	uint64_t failed;     /* a step was refused or lost */
	uint64_t late;	     /* all steps succeeded, but too late to count */
	uint64_t refused_key, refused_full, refused_uid, refused_not_ready, refused_store;
};

struct owed {
	struct owed_limits limits;
	uint64_t hash_seed;
	struct owed_entry
	    *entry; /* `capacity` of them: for limits.keys, or what the journal held */
	uint32_t *bucket, bucket_mask;
	uint32_t capacity;
	uint32_t used, free; /* entries ever used; the first free one among them */
	uint32_t keys;	     /* owed now */
	uint64_t live_bytes; /* of their records */
	uint64_t sequence;
	struct owed_uid uid[OWED_UIDS_MAX];

	struct owed_list ready; /* to be executed */
	struct owed_list tell;	/* ANSWER or COMPLETE to be given out */

	/* the disk */
	struct owed_list pending, batch; /* want a record; are in the present store */
	bool storing, rewriting;
	bool rewrite;	  /* the journal is absent, damaged or unsure */
	bool rewrite_now; /* ... and that does not wait for the next record */
	uint64_t store_after_ms;
	uint64_t journal_bytes, rewrite_bytes;
	uint8_t *batch_bytes;
	size_t batch_length;

	/* executions */
	struct owed_present present;
	uint32_t view; /* grows with each present: what was derived from an older one is void */
	uint64_t lease_ms;
	uint32_t running, command;
	struct owed_execution execution[OWED_RUNNING_MAX];
	struct owed_server *server; /* OWED_SERVERS_MAX, by number in the present change */
	struct owed_list stranded;  /* keys that the present lists are not for */

	struct owed_counts counts;
};

/* `seed` is random: keys come from anybody on the host.  -ENOMEM. */
int owed_init(struct owed *owed, const struct owed_limits *limits, uint64_t seed);
void owed_free(struct owed *owed);

/* What owed_load found wrong: bytes of an append that was never finished, and bytes of damage.
 * Where there are any, the journal is written anew at once. */
struct owed_damage {
	uint64_t torn_bytes, damaged_bytes;
};

/* The journal as it was found, before any other event; not called where there is none.  -EBADMSG:
 * it is no journal of this version, -E2BIG: it holds more than OWED_KEYS_MAX keys (limits.keys may
 * have been higher when it was written), -ENOMEM; only owed_free may follow then, and the file must
 * not be written to. */
int owed_load(struct owed *owed, const void *bytes, size_t length, struct owed_damage *damage,
	      struct failure *failure);

/* How an add is named in OWED_ANSWER and OWED_COMPLETE. */
struct owed_ticket {
	uint32_t entry;
	uint64_t sequence;
};

/* A client owes a delete of `key`.  0: OWED_ANSWER follows.  Else it is refused, *failure says why:
 * -EINVAL (key), -ENOENT (the list is not for it), -EAGAIN (no list is published yet), -ENOSPC,
 * -EDQUOT (caps).  unix_s is for display. */
int owed_add(struct owed *owed, const void *key, size_t key_bytes, uint32_t uid, uint64_t unix_s,
	     struct owed_ticket *ticket, struct failure *failure);

void owed_stored(struct owed *owed, bool ok, uint64_t now_ms);

/* Call it in the same turn as the segment's publication, directly after it, and whenever the
 * borrowed change is replaced.  A repeated call with the same present changes nothing. */
void owed_present(struct owed *owed, const struct owed_present *present, uint64_t now_ms);
/* The segment's deadline: earlier than the lease's end.  0: no lease. */
void owed_lease(struct owed *owed, uint64_t lease_ms);
void owed_replied(struct owed *owed, uint32_t command, enum owed_reply reply, uint64_t now_ms);
/* Several times an op_timeout. */
void owed_tick(struct owed *owed, uint64_t now_ms);

bool owed_next(struct owed *owed, uint64_t now_ms, struct owed_action *action);

/* OWED_REWRITE's content, piece by piece: *cursor begins as zero, 0 is returned at the end.  `size`
 * is at least OWED_RECORD_MAX. */
struct owed_cursor {
	uint64_t offset;
	uint32_t entry;
};
size_t owed_snapshot(struct owed *owed, struct owed_cursor *cursor, uint8_t *bytes, size_t size);

/* Does an execution that was planned in a generation older than this one still run?  Then the host
 * may not report this generation's step as adopted; at most op_timeout. */
bool owed_in_flight(const struct owed *owed, uint32_t generation);

struct owed_status {
	uint32_t keys, running;
	uint32_t limit;		 /* of keys */
	uint64_t live_bytes;	 /* of the keys' records */
	uint64_t oldest_since_s; /* Unix time; 0: nothing is owed */
	uint64_t journal_bytes;
	bool store_fails; /* the last store failed */
	struct owed_counts counts;
};
void owed_status(const struct owed *owed, struct owed_status *status);

/* To whom: for each server of the present change (at most `count`) how many keys it has still to
 * delete, as far as is known, and since when. */
struct owed_to {
	uint32_t keys;
	uint64_t oldest_since_s;
};
void owed_status_servers(const struct owed *owed, struct owed_to *to, uint32_t count);

/* The plan of an owed delete: the rule of MCR_OP_DELETE in a phase.  False: the lists are not for
 * this key. */
bool owed_plan(const struct owed_present *present, const void *key, size_t key_bytes,
	       struct mcr_plan *plan);

#endif
