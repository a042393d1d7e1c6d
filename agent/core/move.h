/* move.h - one key on its way from its old owner O to its new owner N, as a state machine.
 *
 * Pure: it is told each reply and answers with the next command.  The order of the commands and
 * what each reply allows are the mover's rules, proven in the model (tests/model/move.pml); whoever
 * changes a transition here changes the model first.
 *
 * O's CAS, which the rules read before the reservation, comes from the dump's line: that is an
 * earlier read of the same number, costs no command, and takes no recache win away from anybody.
 */
#ifndef MCROSTER_MOVE_H
#define MCROSTER_MOVE_H

#include <stdbool.h>
#include <stdint.h>

/* The kinds from here on, LATE and COMPARE too, reserve nothing: where clients are unaware of
 * phases, DRAIN has no other kinds.  In MOVE_COMPARE, "old" is the mover's own server, where the
 * copy is, and "new" the one that it was copied from. */

/* A reservation's life in seconds: longer than any batch, shorter than anybody's patience. */
#define MOVE_STUB_TTL 10u

enum move_kind {
	MOVE_COPY,	    /* what N may hold is not older: reserve, read, fill */
	MOVE_RECOPY,	    /* it may be older, or is unknown: delete at N first */
	MOVE_COPY_ABANDON,  /* it cannot be copied: deleted at N, so that nothing older stays there
			     */
	MOVE_COPY_COLD,	    /* N has no room for it: the same */
	MOVE_DRAIN,	    /* move, then remove at O */
	MOVE_DRAIN_NEWER,   /* written since the mark: what N holds may be older */
	MOVE_DRAIN_UNSURE,  /* the mark is unknown: present on both sides means deleted on both */
	MOVE_DRAIN_ABANDON, /* it cannot be moved: deleted at O and at N, each by its CAS */
	MOVE_DRAIN_COLD,    /* N has no room for it, and what N may hold is not older: deleted at O,
			     * by CAS, as memcached itself evicts */
	MOVE_DRAIN_LATE,    /* written since the mark by who is unaware: deleted at N and at O */
	MOVE_COMPARE,	    /* at N, the mover's own server here, only while it equals O's */
	MOVE_DRAIN_LEAVE,   /* N holds it, or something newer: deleted at O, by CAS */
	MOVE_DRAIN_LOSE,    /* its new owner is given up: deleted at O, by CAS */
	MOVE_DROP,	    /* delete at the mover's own server */
	MOVE_KINDS
};

/* The next command.  `cas`, `ttl` and `client_flags` of the move are its arguments. */
enum move_action {
	MOVE_NEW_DELETE,     /* md KEY */
	MOVE_NEW_READ_CAS,   /* mg KEY u c s */
	MOVE_NEW_RESERVE,    /* mg KEY N10 u c s */
	MOVE_NEW_FILL,	     /* ms KEY, C cas, with the value of the reply just given */
	MOVE_NEW_READ,	     /* mg KEY u v f t c */
	MOVE_NEW_DELETE_CAS, /* md KEY C cas */
	MOVE_OLD_READ_CAS,   /* mg KEY u c s */
	MOVE_OLD_READ,	     /* mg KEY u v f t c */
	MOVE_OLD_DELETE_CAS, /* md KEY C cas */
	MOVE_OLD_DELETE,     /* md KEY */
	MOVE_END,	     /* see result */
};

enum move_result {
	MOVE_MOVED,   /* now at N; or dropped */
	MOVE_PRESENT, /* N had it already */
	MOVE_EXPIRED, /* its time is over */
	MOVE_GONE,    /* deleted, or being recomputed by somebody */
	MOVE_FAILED,  /* N refuses it, or it was on both sides with the mark unknown */
	MOVE_COLD,    /* left out: N has no room for it */
	MOVE_AGAIN,   /* begin once more, a little later, with the move's kind and source_cas */
};

enum move_answer {
	MOVE_OK,      /* HD, VA */
	MOVE_MISS,    /* EN */
	MOVE_DIFFERS, /* EX */
	MOVE_ABSENT,  /* NF */
	MOVE_REFUSED, /* NS, an error */
	MOVE_LOST,    /* unknown: the connection ended */
	MOVE_ANSWERS
};

struct move_reply {
	enum move_answer answer;
	bool won, stale, sent; /* W, X, Z */
	bool has_cas, has_value;
	uint32_t client_flags;
	uint64_t value_hash; /* of value and flags, for MOVE_COMPARE alone */
	uint64_t cas, size;
	int64_t ttl; /* -1: never expires; 0: this second */
};

struct move {
	uint8_t kind;	     /* enum move_kind; after MOVE_AGAIN: what to begin with */
	uint8_t state;	     /* private */
	uint8_t result;	     /* enum move_result, with MOVE_END */
	uint8_t unsure_kind; /* private: what to begin with when N's state is unknown */
	uint32_t client_flags;
	uint64_t cas;		    /* argument of the command */
	uint64_t source_cas;	    /* O's, as it was read last */
	uint64_t stub_cas, new_cas; /* private */
	uint64_t value_hash;	    /* private */
	int64_t ttl;
};

/* Begins.  source_cas: O's CAS by the dump. */
enum move_action move_begin(struct move *move, enum move_kind kind, uint64_t source_cas);
enum move_action move_advance(struct move *move, const struct move_reply *reply);
/* It ends here, whatever was answered or not: the next attempt takes nothing at N for granted. */
enum move_action move_abandon(struct move *move);

/* What to write as T for `ttl` seconds left: above 30 days memcached wants a point in time by its
 * own clock.  0: no expiry. */
int64_t move_ttl_written(int64_t ttl, int64_t server_time);

#endif
