/* host.h - the agent's side of a host: its segment, and the socket where clients register.
 *
 * A process of its own that runs the agent's own code for both, as mcrosterd does in one thread.
 */
#ifndef MCROSTER_BENCH_HOST_H
#define MCROSTER_BENCH_HOST_H

#include <stdint.h>

#include "list/change.h"

struct host;

/* Publishes a settled list in the segment `name`; `socket_path` is where clients register. */
struct host *host_start(const struct change *change, const char *name, const char *socket_path);
void host_stop(struct host *host);

struct host_publication {
	uint32_t generation;
	uint64_t begun_ns;   /* CLOCK_BOOTTIME, before the publication */
	uint64_t adopted_ns; /* when no registered client ran an older operation any more */
};

/* Publishes the next generation and waits until it is adopted. */
struct host_publication host_publish(struct host *host);

#endif
