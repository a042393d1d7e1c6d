/* wire.h - a blocking connection to a memcached, and the items that the benchmarks store.
 *
 * Whatever goes wrong ends the benchmark.
 */
#ifndef MCROSTER_BENCH_WIRE_H
#define MCROSTER_BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "net/mc_protocol.h"

#define WIRE_KEY_BYTES 32u

int wire_dial(const char *address); /* -1: nobody there yet */

struct wire {
	int fd;
	char *in; /* read and not yet used: from at to end */
	size_t at, end, capacity;
	size_t due;	 /* replies that are sure to come: set by who sends */
	size_t gathered; /* SO_RCVLOWAT as it was set; 0: never */
};

void wire_open(struct wire *wire, const char *address);
void wire_close(struct wire *wire);
void wire_send(struct wire *wire, const void *bytes, size_t length);
/* The next reply; what it points to is valid until the next call. */
struct mc_reply wire_reply(struct wire *wire);

/* Key number `index`, as text of WIRE_KEY_BYTES. */
void wire_key(uint64_t index, char key[WIRE_KEY_BYTES + 1]);
/* Stores keys 0 to count - 1 with values of value_bytes. */
void wire_fill(const char *address, uint64_t count, size_t value_bytes);
/* Deletes what wire_fill stored: the server's memory is left as one that was in use. */
void wire_empty(const char *address, uint64_t count);
uint64_t wire_stat(const char *address, const char *name);

#endif
