/* apart.h - a crew for each host in a process of its own, judged against one history.
 *
 * So the clients of one host can be stopped, all of them and anywhere in what they do, while the
 * others go on; and each process can live in its host's network namespace.  The parent gives orders
 * over pipes and adds up the tallies, which are shared memory.  Used by load.c alone.
 */
#ifndef MCROSTER_TESTS_APART_H
#define MCROSTER_TESTS_APART_H

#include "worker.h"

struct apart;

/* One process for each segment of `setup`; `namespaces` names for each a network namespace that it
 * enters (NULL: none).  readers, writers and rate are for each process. */
int apart_new(const struct crew_setup *setup, const char *const *namespaces, struct apart **apart);
void apart_free(struct apart *apart);

/* As crew_do; a job that ends by itself is done by the first process (fill), or by each (verify).
 * Stopped processes are left out. */
void apart_do(struct apart *apart, enum job job);
void apart_tally(struct apart *apart, struct tally *sum);

/* Kills process `number` (SIGKILL) while one of its clients stands between two commands of a write
 * in the phase; it is left out from then on.  -1: there is no such process, or none came to stand
 * so within a minute. */
int apart_kill(struct apart *apart, unsigned number, enum mcr_phase phase);

/* Stops it there instead. */
int apart_stop_between(struct apart *apart, unsigned number, enum mcr_phase phase);

/* Stops process `number` (SIGSTOP), or lets it go on.  -1: there is no such process. */
int apart_stop(struct apart *apart, unsigned number);
int apart_continue(struct apart *apart, unsigned number);

#endif
