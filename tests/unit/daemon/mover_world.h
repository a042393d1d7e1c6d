/* mover_world.h - a change between three real memcached processes, and movers that carry it out.
 *
 * Two servers, cache01 and cache02, own the even and the odd slots; cache03 is new and gets every
 * third slot.  Tests change what they need before a mover starts.
 */
#ifndef MOVER_WORLD_H
#define MOVER_WORLD_H

#include <check.h>
#include <time.h>

#include "daemon/mover.h"
#include "memcached_process.h"

#define SLOTS	   1024u
#define SERVERS	   3u
#define PATIENCE_S 60

extern struct memcached_process processes[SERVERS];
extern struct change_server servers[SERVERS];
extern uint16_t old_owner[SLOTS], new_owner[SLOTS];
extern struct change change;
extern struct event_base *base;
extern struct mover_pace pace;

/* One mover and what it told. */
struct run {
	struct mover *mover;
	struct mover_mark saved;
	bool finished, stopped;
	unsigned saves, asked, allowed; /* allowed: batches, 0 for any number */
	time_t began;
	struct work work;
};

void set_up(void);
void tear_down(void);
void slots_count(void); /* after the owners were changed */

void run_start(struct run *run, uint32_t server, enum phase phase, bool restarted);
void run_abandon(struct run *run); /* frees the mover, whatever it is at */
void run_whole(struct run *run, uint32_t server, enum phase phase);
/* The phase's work on every server that has some, one after the other; it must be done. */
void phase_all(enum phase phase, struct run runs[SERVERS]);
void whole_change(struct run runs[SERVERS]);

/* One turn of the loop; too many seconds after run_start it fails. */
void turn_once(struct run *run);
void turn_until(const bool *condition, struct run *run);
void turn_until_counted(struct run *run, uint64_t keys); /* so many keys are settled */

uint32_t owner_of(const void *key, size_t key_bytes, bool new);
/* Stores at the old owner. */
void put(const void *key, size_t key_bytes, const void *value, size_t length, uint32_t flags,
	 long ttl);
/* "key:0" to "key:<count - 1>", each with the value "<word><i>" and the flags i. */
void fill(unsigned count, const char *word);
unsigned moving(unsigned count, uint32_t from); /* how many of them leave a server */
void all_hold(unsigned count, bool new, const char *word);
char *text_make(size_t length); /* a text that shows a shift; to be freed */
void restart(uint32_t server);	/* killed, and started anew at the same port */
int suite_run(Suite *suite);

#endif
