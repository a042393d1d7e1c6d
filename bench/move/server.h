/* server.h - real memcached processes for benchmarks, and what they cost.
 *
 * Each listens on a free port of the loopback and dies with the benchmark at the latest.
 */
#ifndef MCROSTER_BENCH_SERVER_H
#define MCROSTER_BENCH_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct server {
	bool aside;	  /* it stands aside (bench_stand_aside); set before it is started */
	unsigned threads; /* 0: memcached's own four */
	pid_t pid;
	char address[32];
};

/* Starts one with so much memory for items; whatever goes wrong ends the benchmark. */
void server_start(struct server *server, uint64_t memory_mib, uint64_t items);
void server_stop(struct server *server); /* kills it and waits */

/* Processor time, user and system, that it has used so far. */
double server_cpu_s(const struct server *server);

#endif
