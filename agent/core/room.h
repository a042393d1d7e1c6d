/* room.h - what a new owner's memory still takes, and which keys come first where it takes not all.
 *
 * Pure.  A key is left out only where it would push out a hotter one: where the server's memory is
 * taken up, and either the key was used longer ago than what the server would evict for it, or what
 * it would evict came with this very move, and so before the key, which means hotter.
 */
#ifndef MCROSTER_ROOM_H
#define MCROSTER_ROOM_H

#include <stdbool.h>
#include <stdint.h>

/* What a server said of its memory. */
struct room_said {
	uint64_t limit;	    /* limit_maxbytes; 0: it did not say */
	uint64_t held;	    /* bytes of its items */
	uint64_t evictions; /* so far */
	uint64_t oldest_s;  /* since the items that it would evict next were used */
};

struct room {
	struct room_said said;
	uint64_t allowed; /* bytes that the present walk may still bring */
	bool evicting;	  /* it has begun to, during this walk */
};

/* Without evicting, by what it said last.  An eighth is kept free: memcached's chunks are larger
 * than their items, and the server has its own to store.  So are some pages (another eighth of a
 * small memory), for each size of items has one that is not full.  One that said nothing takes
 * anything. */
uint64_t room_free(const struct room *room);
/* Will so many bytes hardly find room, guessed from shares? */
bool room_is_tight(const struct room *room, uint64_t bytes);

/* Whose room it is: other sources bring their share, perhaps later, and then it has to be there. */
struct room_share {
	uint64_t part, all; /* of what the server gains */
	bool was_empty;	    /* it held nothing before the change */
	uint32_t walks;	    /* the one that begins, and those that follow it */
};
void room_walk(struct room *room, const struct room_share *share);
/* part of all of it */
uint64_t room_share(uint64_t bytes, uint64_t part, uint64_t all);
void room_told(struct room *room, const struct room_said *said);
/* A key of so many bytes is on its way there; it did not get there, or was there already. */
void room_took(struct room *room, uint64_t bytes);
void room_gave_back(struct room *room, uint64_t bytes);
/* Nothing more goes there without pushing something out. */
bool room_is_full(const struct room *room);
/* Is a key left out that was used idle_s ago?  own_s: for how long keys are being moved there. */
bool room_leaves_out(const struct room *room, uint32_t idle_s, uint64_t own_s);

/* For how long a key counts as unused: one that was never read since it was stored counts as eight
 * times as old.  Both times by the same clock; accessed 0: not known. */
uint32_t room_idle(int64_t now_s, uint64_t accessed_s, bool fetched);
/* Keys of a lower one are hotter: half an octave of idle_s each. */
#define ROOM_HEATS 48u
unsigned room_heat(uint32_t idle_s);

#endif
