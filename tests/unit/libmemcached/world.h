/* world.h - two servers and an agent for the adapter's tests: a toy segment whose keys are server
 * 0's before the change and, half of them, server 1's after it; real memcacheds, or played ones
 * where a test needs to see what is sent, when and how a connection ends.
 */
#ifndef WORLD_H
#define WORLD_H

#include <check.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "../shmlib/toy_segment.h"
#include "mcroster_memcached.h"

#define O	      0u
#define N	      1u
#define OP_TIMEOUT_MS 1600u

struct world {
	struct toy toy;
	struct mcr *mcr;
	struct mcr_pool *pool;
	uint32_t generation;
	uint16_t port[2];
	pid_t pid[2];  /* 0: it is played */
	char key[256]; /* one that moves */
	size_t key_bytes;
};

extern struct world world;

/* Fixtures: the segment and two memcacheds, STEADY published. */
void world_begin(void);
void world_end(void);

/* The next generation; what was planned by the one before is over at retire_ns (toy_release). */
void world_publish_retire(enum mcr_phase phase, uint64_t retire_ns);
void world_publish(enum mcr_phase phase);

/* Real memcached number `server` is stopped, or goes on. */
void world_stop(unsigned server);
void world_go_on(unsigned server);

/* What really lies there: a string to be used at once, or NULL.  world_put NULL: nothing. */
const char *world_at(unsigned server, const char *key);
void world_put(unsigned server, const char *key, const char *value);
/* The key is one of world.key's, and both sides are as said. */
void world_lie(const char *at_o, const char *at_n);
void world_lies(const char *at_o, const char *at_n);

/* ---- a played memcached ---- */

enum { PLAY_MUTE = -1, PLAY_RESET = -2, PLAY_CLOSE = -3 };

struct played {
	unsigned server; /* its number */
	/* Called in its thread with each line that is a command's first; sends what it likes by
	 * play_say, or returns one of the above. */
	int (*answer)(struct played *played, const char *line);
	int listening, fd;
	pthread_t thread;
	_Atomic unsigned connections, commands[4]; /* by what they begin with: below */
	_Atomic bool ended_by_reset;		   /* the last connection that ended */
	_Atomic unsigned ended;
	_Atomic bool quit;
};
enum { SAID_GET, SAID_SET, SAID_DELETE, SAID_OTHER };

/* Takes the place of a real one; `answer` NULL: it never answers. */
void play_begin(struct played *played, unsigned server,
		int (*answer)(struct played *played, const char *line));
void play_end(struct played *played);
void play_say(struct played *played, const char *text);

/* ---- a played agent ---- */

/* Where keys are owed from now on: each is answered so (MCR_CLIENTS_OWED, or REFUSED with a code).
 * The last one is kept. */
void agent_begin(uint32_t type, uint32_t code);
void agent_end(void);
unsigned agent_owed(char key[256], char server[64]);

/* Waits for a condition. */
#define WAIT_FOR(condition)                                                                        \
	do {                                                                                       \
		for (int tries = 0; !(condition); tries++) {                                       \
			ck_assert_msg(tries < 10000, "waited in vain: %s", #condition);            \
			nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);                   \
		}                                                                                  \
	} while (0)

#endif
