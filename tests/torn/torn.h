/* torn.h - what the writers that are killed, the readers beside them and the one who counts share.
 *
 * All that a generation says follows from its number, so a reader can tell a mixture of two.
 */
#ifndef MCROSTER_TORN_H
#define MCROSTER_TORN_H

#include <stdint.h>

struct mcr;
struct segment;

#define TORN_READERS 4u
#define TORN_SERVERS 64u
#define TORN_SLOTS   32768u
#define TORN_PPM     1000000u

/* Where a writer was when it was killed. */
enum torn_stage { TORN_OPENING, TORN_BETWEEN, TORN_PUBLISHING };

/* One reader's cache lines. */
struct torn_reader {
	_Alignas(64) uint64_t operations; /* plans made */
	uint64_t listings;		  /* whole lists copied out */
	uint64_t overtaken;		  /* MCR_STALE: said so, nothing was mixed */
	uint64_t generations;		  /* changes of the generation noticed */
	char mixture[200];		  /* what was torn; "" nothing */
};

struct torn_shared {
	_Alignas(64) uint32_t stage; /* enum torn_stage of the present writer */
	_Alignas(64) uint32_t stop;  /* the readers are to end */
	struct torn_reader reader[TORN_READERS];
};

/* In a child: takes the segment up as an agent does and publishes until it is killed, by a timer of
 * its own: from its first publication on, after `after_ppm` millionths of the time that one took,
 * so that a slow machine's writers die where a fast one's do (early: of 200 us, from the
 * beginning). `number` stands in what it publishes.  Returns only when something else fails. */
void torn_write(const char *name, struct torn_shared *shared, uint32_t number, uint32_t after_ppm,
		int early);

/* One publication; 0 when it was made. */
int torn_publish(struct segment *segment, struct torn_shared *shared, uint32_t number);

/* Reads in every way there is, plainly and with a client that was opened MCR_STRICT, until it is
 * told to stop or something was torn.  0: nothing was. */
int torn_read(struct mcr *mcr, struct mcr *strict, struct torn_shared *shared, unsigned number);

#endif
