/* report.h - what was measured, printed for people and for programs. */
#ifndef MCROSTER_BENCH_REPORT_H
#define MCROSTER_BENCH_REPORT_H

#include <stdint.h>

#include "speed.h"
#include "spread.h"
#include "wake.h"

#define REPORT_FLEETS  5u
#define REPORT_THREADS 2u
#define REPORT_KINDS   7u
#define REPORT_CROWDS  5u

/* One distribution. */
struct report_kind {
	char name[DISTRIBUTION_TEXT_BYTES];
	struct speed speed[REPORT_THREADS][REPORT_FLEETS];
	double balance[REPORT_FLEETS];
	double moved_3_4, moved_100_101;
};

struct report_crowd {
	const char *name;
	struct wake wake;
};

struct report {
	uint32_t servers[REPORT_FLEETS];
	struct report_kind kind[REPORT_KINDS];
	struct report_crowd crowd[REPORT_CROWDS];
};

void report_table(const struct report *report);
void report_json(const struct report *report);

#endif
