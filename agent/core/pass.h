/* pass.h - which keys of a server are dealt with, how, in which order, and when that is done.
 *
 * Pure: the engine asks for the next order, carries it out, and tells the outcome.  It knows marks,
 * passes, ranges and the rules of sanitising; it knows no connection and no file.
 */
#ifndef MCROSTER_PASS_H
#define MCROSTER_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/move.h"
#include "core/register.h"
#include "list/change.h"

/* A process of memcached: CAS numbers mean something only within one. */
struct pass_identity {
	bool known;
	uint64_t pid, start_time; /* `stats`: pid, time - uptime */
};

/* What a server said of itself. */
struct pass_server {
	struct pass_identity identity;
	bool cas_enabled, dump_enabled, crawler_enabled, meta_protocol;
	char version[32];
};

struct pass_mark {
	struct pass_identity of;
	bool known, full_pass_done;
	uint64_t cas;
};

enum pass_order {
	PASS_IDENTIFY, /* ask the server who it is -> pass_identified */
	PASS_PROBE, /* prove that it and pass_probe_wanted() are different processes -> pass_probed
		     */
	PASS_MARK,  /* store the probe item -> pass_marked */
	PASS_SAVE,  /* put `save` on disk -> pass_saved */
	PASS_DUMP, /* pass_dump_begin; each line to pass_line -> pass_dumped, or again.  In COPY and
		    * DRAIN the keys found may be dealt with at once. */
	PASS_KEYS, /* deal with the keys spooled, each to pass_count -> pass_keys_done */
	PASS_WAIT, /* what a lost mover sent must have been carried out, or have expired */
	PASS_DONE,
	PASS_REFUSED, /* only in PREPARE; work.reason says why */
};

struct pass_setup {
	const struct change *change; /* borrowed */
	uint32_t server;
	/* PREPARE, COPY, DRAIN, PURGE or CLEAN; SWITCH and SETTLE where clients are unaware */
	enum phase phase;
	const uint8_t *given_up; /* as in struct reg, borrowed; NULL: nobody */
	bool restarted;
	struct pass_mark mark;
	uint64_t now_ns;
	uint32_t op_timeout_ms;
};

struct pass {
	const struct change *change;
	const uint8_t *given_up;
	uint32_t server;
	enum phase phase;
	enum pass_order order;
	struct work work;
	struct pass_mark save; /* PASS_SAVE's argument */
	uint32_t op_timeout_ms;
	uint64_t begin_ns;	 /* DRAIN: no dump before */
	uint64_t quiet_until_ns; /* done is not said before */

	struct pass_server self;
	bool fresh;	       /* COPY: the first mover of the phase, N is as sanitised */
	struct pass_mark base; /* what is known of the keys at their new owners */
	uint64_t copies_cas;   /* SETTLE: what was stored here later is no copy */
	uint64_t next_cas;     /* COPY: the mark of the pass now running */
	bool full;	       /* COPY: this pass takes all keys, not only what changed */
	uint64_t last_found; /* COPY: concerned keys of the pass before */
	uint8_t *redo;	  /* COPY, by server: lost its memory since this pass began */
	uint8_t *redoing; /* ... before it began: all its keys are taken */
	bool redo_any;
	bool incomplete; /* a key of this round was dropped from the queue */
	bool unresolved; /* ... or all were, perhaps with reservations at their new owners */

	uint32_t part, parts; /* the range of the key's hash now spooled */
	uint32_t rounds;      /* complete walks over the key space */
	uint64_t round_found; /* concerned keys in this round's dumps */
	uint64_t round_moved; /* work.moved when it began */
	uint64_t lines, covered, concerned, spooled, unnameable; /* of this dump */
	uint64_t expired; /* ... left out, and to be found again if it is not whole */
	uint64_t last_shortfall;
	uint32_t shortfalls; /* dumps in a row that fell short */
	bool allowed;	     /* PREPARE: the counts were found good */
	uint64_t drop_limit, dropped;
};

/* What to do with a dumped key. */
struct pass_verdict {
	bool concerned; /* it is one of those this work is about */
	bool spool;	/* and it is in the present range */
	enum move_kind kind;
	uint32_t destination; /* number of the server that gets it; the mover's own for MOVE_DROP */
};

int pass_init(struct pass *pass, const struct pass_setup *setup); /* -ENOMEM */
void pass_free(struct pass *pass);

/* What is to be done now.  PASS_WAIT becomes PASS_DONE when its time has come. */
enum pass_order pass_order(struct pass *pass, uint64_t now_ns);

static inline bool pass_gave_up(const struct pass *pass, uint32_t server)
{
	return pass->given_up != NULL && register_set_has(pass->given_up, server);
}

/* Does the proof of two processes concern this server? */
bool pass_probe_wanted(const struct pass *pass, uint32_t other);

/* After each (re)connection to the server, whatever the order: a new process changes everything.
 * False: it cannot be worked on as it runs (work.reason); ask again later, unless refused. */
bool pass_identified(struct pass *pass, const struct pass_server *self);
/* `same_as` is the server found to be the same process, or the mover's own where there is none. */
void pass_probed(struct pass *pass, uint32_t same_as);
void pass_marked(struct pass *pass, uint64_t cas);
void pass_saved(struct pass *pass);

void pass_dump_begin(struct pass *pass);
/* A key of the dump; `hash` is mcr_hash of it. */
void pass_line(struct pass *pass, const uint8_t *key, size_t key_bytes, uint64_t cas,
	       struct pass_verdict *verdict);
/* Is it worth a copy, with so many seconds to live (-1: for ever)?  Not in COPY where it dies so
 * soon that hardly a reader would find the copy: it is found at its old owner until DRAIN, which
 * moves it where it still lives.  A key that has changed since the mark is never left out: what its
 * new owner holds may be older. */
#define PASS_DYING_S 20
bool pass_worth(const struct pass_verdict *verdict, int64_t seconds);
/* It is concerned, and not worth it. */
void pass_expired(struct pass *pass, bool spooled);
/* It is concerned, but no command of the meta protocol can name it. */
void pass_unnameable(struct pass *pass, bool spooled);
/* The dump ended with END.  items: curr_items, the smaller of before and after.  overflow: how many
 * times the spool's size the keys would have needed; 0 or 1 where they fitted. */
void pass_dumped(struct pass *pass, uint64_t items, uint32_t overflow);
/* A key could not be kept for its next try: the round has to be walked again. */
void pass_incomplete(struct pass *pass);
void pass_keys_done(struct pass *pass);
void pass_count(struct pass *pass, enum move_result result);

/* A new owner came back as another process: what was moved to it is gone. */
void pass_destination_restarted(struct pass *pass, uint32_t server);
/* A connection was lost with reservations under way that may yet be carried out. */
void pass_reservations_unknown(struct pass *pass, uint64_t now_ns);

/* Probe items: their keys begin with the list's prefix and are never moved, dropped or counted. */
#define PASS_PROBE_RANDOM_BYTES 16u
size_t pass_probe_key(const struct pass *pass, const uint8_t random[PASS_PROBE_RANDOM_BYTES],
		      uint8_t key[250]);

#endif
