/* bench.h - clocks, medians and how a benchmark ends when there is nothing to measure. */
#ifndef MCROSTER_BENCH_H
#define MCROSTER_BENCH_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_ROUNDS_MAX 1001u

/* Prints the sentence and exits with 1. */
void bench_end(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Zeroed memory, or the end. */
void *bench_alloc(size_t count, size_t bytes);

uint64_t bench_boot_ns(void);

/* Processor time of the calling thread: who shares the machine does not count. */
uint64_t bench_thread_ns(void);

/* This process, and what it starts, run only on a processor that nobody else wants: as if on
 * another host, as far as one machine can be two. */
void bench_stand_aside(void);

/* Sorts; `count` is not 0. */
double bench_median(double *values, size_t count);

#endif
