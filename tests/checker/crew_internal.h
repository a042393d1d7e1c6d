/* crew_internal.h - what the files of the crew share: its clients, called hands, and what each of
 * them counts.
 *
 * A hand belongs to one thread while a job runs, and to whoever started the job while none does.
 */
#ifndef MCROSTER_TESTS_CHECKER_CREW_INTERNAL_H
#define MCROSTER_TESTS_CHECKER_CREW_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "crew.h"
#include "values.h"

/* A thread counts in its own; anybody may look. */
struct tally {
	_Atomic uint64_t reads, reads_moving, hits, misses;
	_Atomic uint64_t writes, writes_moving, by_deed[DEED_COUNT];
	_Atomic uint64_t verdicts[LEDGER_VERDICTS];
	_Atomic uint64_t reads_failed, writes_failed, refused;
};

struct hand {
	pthread_t thread;
	struct crew *crew;
	unsigned number, host;
	bool writes;
	struct mcr_pool *pool; /* the host's, which its hands share */
	struct mcr_pool_report report;
	uint64_t random;
	uint64_t next_us; /* when the next batch or write is due (rate) */
	struct tally tally;
	char value[VALUES_VALUE_MAX];
};

struct crew {
	struct crew_setup setup;
	struct ledger *ledger;
	struct mcr **mcr; /* one for each segment */
	struct mcr_pool **pool;
	struct hand *hands;
	unsigned hand_count, running;
	enum job job;
	_Atomic bool stopped, violated;
	_Atomic uint32_t cursor;
	_Atomic unsigned complaints;
	pthread_mutex_t telling;
};

static inline void count(_Atomic uint64_t *field)
{
	atomic_store_explicit(field, atomic_load_explicit(field, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

static inline bool moving(enum mcr_phase phase)
{
	return phase >= MCR_PREPARE && phase <= MCR_DRAIN;
}

/* A number below that. */
uint32_t hand_draw(struct hand *hand, uint32_t below);

/* ---- what went wrong (crew_tell.c) ---- */

static inline bool wrong(enum verdict verdict)
{
	return verdict != LEDGER_RIGHT && verdict != LEDGER_LATE && verdict != LEDGER_UPDATE_MISSED;
}

/* An operation of the hand's has failed; `what` it was. */
void failure_tell(struct hand *hand, const char *what, const char *reason);
/* The first violation is told with the key's history, and all stop. */
void violation_tell(struct hand *hand, enum verdict verdict, uint32_t index, const char *answer);

/* ---- reads (crew_read.c) ---- */

struct batch {
	struct mcr_pool_read reads[BATCH_MAX];
	struct ledger_read looks[BATCH_MAX];
	char keys[BATCH_MAX][VALUES_KEY_MAX];
	unsigned count;
};

/* The key is to be read; from now on the ledger watches it. */
void batch_add(struct hand *hand, struct batch *batch, uint32_t index);
/* Reads them all and judges each answer; the batch is empty then. */
void batch_read(struct hand *hand, struct batch *batch);
/* Judges an answer.  The version that was read; 0: none to build on. */
uint32_t read_judge(struct hand *hand, const struct mcr_pool_read *read,
		    const struct ledger_read *look, uint64_t sent_us);

/* ---- writes (crew_write.c) ---- */

enum deed draw_deed(struct hand *hand, bool counter);
/* Unless as many writes of the key are under way as may be. */
void write_one(struct hand *hand, uint32_t index, enum deed deed);

/* ---- a thread (crew_hand.c) ---- */

/* `context`: the hand.  Does its share of the crew's job. */
void *hand_main(void *context);

#endif
