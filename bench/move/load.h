/* load.h - the foreground: clients that read and write while keys are moved.
 *
 * A process of its own with many connections.  On each one request is under way, so many commands
 * in one piece, as who builds a page asks at once for all that is on it; nine reads to one set.  It
 * sends at a fixed rate, each request at its time, or as fast as answers come.
 */
#ifndef MCROSTER_BENCH_LOAD_H
#define MCROSTER_BENCH_LOAD_H

#include <stdint.h>
#include <sys/types.h>

struct load_result {
	double seconds, rate;		/* answered commands a second */
	double p50_us, p99_us, p999_us; /* of requests */
};

struct load {
	pid_t child;
	int result, stop; /* ends of pipes */
};

/* together: commands of a request.  rate: commands a second; 0: as fast as they are answered.  Keys
 * 0 to keys - 1 of wire_key, values of value_bytes. */
void load_start(struct load *load, const char *address, uint64_t keys, size_t value_bytes,
		unsigned together, double rate);
/* Ends it and takes what it has measured since load_start or the last load_cut. */
struct load_result load_stop(struct load *load);
/* What it has measured so far; it begins anew. */
struct load_result load_cut(struct load *load);

#endif
