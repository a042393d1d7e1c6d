/* worker.h - threads that fill, read and write, each answer judged against the history.
 *
 * All workers do the same job at a time, set by crew_do; it ends by itself (fill, verify) or when
 * the next is set (run).  A worker belongs to one host: one segment.  Shared by the programs of
 * this directory (it has no main).
 */
#ifndef MCROSTER_TESTS_WORKER_H
#define MCROSTER_TESTS_WORKER_H

#include <stdint.h>

#include "history.h"
#include "tally.h"

enum job {
	JOB_REST,
	JOB_FILL,   /* set every key once */
	JOB_RUN,    /* readers read, writers write, until another job is set */
	JOB_READ,   /* readers read, writers rest */
	JOB_VERIFY, /* read every key once */
	JOB_QUIT
};

/* In shared memory: a client of this process is to stop, and never to go on, between two commands
 * of a write in this phase. */
struct doom {
	_Atomic int phase;	 /* -1: none is wanted */
	_Atomic unsigned stands; /* one does */
};

struct crew_setup {
	const char *const *segments;
	unsigned segment_count;
	unsigned readers, writers; /* threads; number n works on segment n % segment_count */
	uint32_t keys;
	struct history *history; /* borrowed; may be shared with other crews */
	struct doom *doom;	 /* NULL: nobody of them */
	uint32_t rate; /* operations a second, all threads together; 0: as fast as they can */
};

struct crew;

/* 0, or a negative number with the reason on standard error. */
int crew_new(const struct crew_setup *setup, struct crew **crew);
void crew_free(struct crew *crew);

/* Ends the job that runs, starts the next; returns when the old one has been left by all, and, for
 * a job that ends by itself, when it is done. */
void crew_do(struct crew *crew, enum job job);

void crew_tally(struct crew *crew, struct tally *sum);

#endif
