/* crew.h - the checker's clients: threads that read and write on several hosts, each answer judged.
 *
 * Client number n belongs to host n % segment_count, that is, to one segment.  Readers read many
 * keys at a time; writers write one after the other, and read where a cas needs it.  One violation
 * ends the work of all: what the ledger holds of the key then is what led to it.
 */
#ifndef MCROSTER_TESTS_CHECKER_CREW_H
#define MCROSTER_TESTS_CHECKER_CREW_H

#include <stdbool.h>
#include <stdint.h>

#include "client/plant.h"
#include "ledger.h"
#include "mcroster_memcached.h"

/* Keys of one read, at most. */
#define BATCH_MAX 128

struct crew_setup {
	const char *const *segments;
	unsigned segment_count;
	unsigned readers, writers; /* threads */
	uint32_t keys;
	unsigned batch; /* keys that a reader mostly reads at a time, up to BATCH_MAX */
	uint32_t
	    rate; /* reads a second, all readers together, and writes a tenth of it; 0: no limit */
	enum plant plant; /* in JOB_RUN */
};

enum job {
	JOB_FILL,   /* set every key once */
	JOB_RUN,    /* readers read, writers write, until crew_stop */
	JOB_VERIFY, /* read every key once */
};

struct counts {
	uint64_t reads, reads_moving, hits,
	    misses; /* answered; moving: by a plan of PREPARE to DRAIN */
	uint64_t writes, writes_moving, by_deed[DEED_COUNT];
	uint64_t verdicts[LEDGER_VERDICTS];
	uint64_t reads_failed, writes_failed, refused;
	uint64_t given_up; /* commands of writes, perhaps executed later */
};

struct crew;

/* 0, or a negative number with the reason on standard error. */
int crew_new(const struct crew_setup *setup, struct crew **crew);
void crew_free(struct crew *crew); /* NULL is fine; stops it */

/* Starts a job; crew_wait returns when all are through, which JOB_RUN is after crew_stop. */
int crew_start(struct crew *crew, enum job job);
void crew_stop(struct crew *crew);
void crew_wait(struct crew *crew);

void crew_counts(const struct crew *crew, struct counts *counts);
bool crew_violated(const struct crew *crew);

/* Waits until all hosts are settled under this epoch by the same list; with the crew at rest also
 * until each client plans by the generation that its host shows.  False: what differs is in `why`.
 */
bool crew_agrees(struct crew *crew, uint64_t epoch, int timeout_ms, char *why, size_t why_bytes);

#endif
