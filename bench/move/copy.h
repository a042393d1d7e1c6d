/* copy.h - the yardstick: a copy without any safety, by one blocking thread.
 *
 * Keys are decoded from the source's metadump, then read and stored in pipelined batches; nothing
 * is reserved, compared or retried.  What arrived is counted at the destination.
 */
#ifndef MCROSTER_BENCH_COPY_H
#define MCROSTER_BENCH_COPY_H

#include <stddef.h>
#include <stdint.h>

/* Seconds from the dump's first byte to the last item's arrival; *dump_s: until the last key was
 * decoded and kept, which is what a dump alone takes such a program. */
double copy_unsafe(const char *source, const char *destination, uint64_t count, size_t value_bytes,
		   double *dump_s);

#endif
