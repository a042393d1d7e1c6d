/* world.h - a small simulated cluster for the core's tests: hosts, one coordinator, a network.
 *
 * Everything is drawn from a seed; nothing sleeps.  Hosts crash and come back, messages are lost
 * and late, and after every event the barrier's promise is checked: no client operation that a
 * host's segment may have planned is more than one phase behind the register.
 */
#ifndef MCROSTER_TEST_WORLD_H
#define MCROSTER_TEST_WORLD_H

#include "core/coord.h"
#include "core/host.h"

#define WORLD_HOSTS    4u
#define WORLD_MESSAGES 512u

struct world_host {
	struct host host;
	bool up;
	uint64_t up_ms;		/* when a crashed one comes back */
	struct host_state disk; /* survives a crash */
	bool has_disk;
	struct reg segment;   /* so does the segment */
	uint64_t segment_ms;  /* when it was published */
	uint64_t deadline_ms; /* the lease's deadline in it */
	uint64_t work_ms;     /* when the movers will be done; 0: none run */
	struct reg work_for;
	uint32_t works[PHASE_COUNT]; /* how often a phase's work was started afresh */
	/* A client operation under way: planned under `op`, over at `op_end_ms`. */
	struct reg op;
	uint64_t op_end_ms;
};

struct world_message {
	bool used;
	uint64_t at_ms;
	uint32_t host;
	bool to_coord;
	uint8_t type; /* 0 renew, 1 grant, 2 register */
	struct renew renew;
	struct grant grant;
};

struct world {
	uint64_t seed, now_ms;
	uint32_t loss_percent, delay_ms;
	bool crashes;
	struct list *list[2];
	struct change *change[3]; /* 0: first alone, 1: first and second, 2: second alone */
	struct world_host host[WORLD_HOSTS];
	struct coord coord;
	bool coord_up;
	uint64_t coord_up_ms;
	struct reg coord_disk;
	struct world_message message[WORLD_MESSAGES];
	uint32_t violations;
	char violation[256];
	uint32_t refuse_host; /* its PREPARE is refused; WORLD_HOSTS: nobody's */
	uint32_t crash_count, steps;
};

/* The two lists: three servers, then four; host i works for server i. */
void world_init(struct world *world, uint64_t seed);
void world_free(struct world *world);
/* One millisecond. */
void world_step(struct world *world);
/* Runs until the register is settled at `epoch` on the coordinator and on every host that is up, or
 * `limit_ms` has passed. */
bool world_settle(struct world *world, uint64_t epoch, uint64_t limit_ms);
void world_crash(struct world *world, uint32_t host, uint64_t away_ms);
void world_crash_coord(struct world *world, uint64_t away_ms);
uint64_t world_random(struct world *world);

#endif
