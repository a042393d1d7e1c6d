/* tally.c - see tally.h. */
#include "tally.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static void add_all(_Atomic uint64_t *sum, const _Atomic uint64_t *part, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		atomic_fetch_add_explicit(&sum[i],
					  atomic_load_explicit(&part[i], memory_order_relaxed),
					  memory_order_relaxed);
}

void tally_add(struct tally *sum, const struct tally *part)
{
	add_all(sum->reads, part->reads, MCR_PHASE_COUNT);
	add_all(sum->writes, part->writes, MCR_PHASE_COUNT);
	add_all(&sum->hits, &part->hits, 1);
	add_all(&sum->misses, &part->misses, 1);
	add_all(sum->verdicts, part->verdicts, VERDICT_COUNT);
	add_all(sum->read_status, part->read_status, MCR_POOL_STATUS_COUNT);
	add_all(sum->write_status, part->write_status, MCR_POOL_STATUS_COUNT);
	add_all(sum->by_op, part->by_op, MCR_OP_COUNT);
	add_all(&sum->replanned, &part->replanned, 1);
	add_all(&sum->invalidated, &part->invalidated, 1);
}

struct field {
	const char *name;
	uint64_t value;
};

static uint64_t sum(const _Atomic uint64_t *counts, unsigned first, unsigned last)
{
	uint64_t total = 0;

	for (unsigned i = first; i <= last; i++)
		total += atomic_load_explicit(&counts[i], memory_order_relaxed);
	return total;
}

static void print_phases(FILE *stream, const char *what, const _Atomic uint64_t *counts)
{
	for (unsigned phase = 0; phase < MCR_PHASE_COUNT; phase++) {
		char name[32];
		size_t i;

		snprintf(name, sizeof(name), "%s", mcr_phase_name((enum mcr_phase)phase));
		for (i = 0; name[i]; i++)
			name[i] = (char)tolower((unsigned char)name[i]);
		fprintf(stream, "\"%s_%s\":%" PRIu64 ",", what, name, sum(counts, phase, phase));
	}
}

void tally_print(const struct tally *t, FILE *stream)
{
	const struct field fields[] = {
	    {"reads", sum(t->reads, 0, MCR_PHASE_COUNT - 1)},
	    {"writes", sum(t->writes, 0, MCR_PHASE_COUNT - 1)},
	    {"reads_moving", sum(t->reads, MCR_PREPARE, MCR_DRAIN)},
	    {"writes_moving", sum(t->writes, MCR_PREPARE, MCR_DRAIN)},
	    {"hits", sum(&t->hits, 0, 0)},
	    {"misses", sum(&t->misses, 0, 0)},
	    {"stale", sum(t->verdicts, VERDICT_STALE, VERDICT_STALE)},
	    {"late", sum(t->verdicts, VERDICT_LATE, VERDICT_LATE)},
	    {"missed", sum(t->verdicts, VERDICT_MISSED, VERDICT_MISSED)},
	    {"lost", sum(t->verdicts, VERDICT_LOST, VERDICT_LOST)},
	    {"foreign", sum(t->verdicts, VERDICT_FOREIGN, VERDICT_FOREIGN)},
	    {"overdue", sum(t->verdicts, VERDICT_OVERDUE, VERDICT_OVERDUE)},
	    {"updates_missed", sum(t->verdicts, VERDICT_UPDATE_MISSED, VERDICT_UPDATE_MISSED)},
	    {"reads_refused", sum(t->read_status, MCR_POOL_REFUSED, MCR_POOL_REFUSED)},
	    {"writes_refused", sum(t->write_status, MCR_POOL_REFUSED, MCR_POOL_REFUSED)},
	    {"reads_failed", sum(t->read_status, MCR_POOL_FAILED, MCR_POOL_FAILED)},
	    {"writes_failed", sum(t->write_status, MCR_POOL_FAILED, MCR_POOL_FAILED)},
	    {"writes_incomplete", sum(t->write_status, MCR_POOL_INCOMPLETE, MCR_POOL_INCOMPLETE)},
	    {"writes_owed", sum(t->write_status, MCR_POOL_OWED, MCR_POOL_OWED)},
	    {"sets", sum(t->by_op, MCR_OP_SET, MCR_OP_SET)},
	    {"adds", sum(t->by_op, MCR_OP_ADD, MCR_OP_ADD)},
	    {"incrs", sum(t->by_op, MCR_OP_UPDATE, MCR_OP_UPDATE)},
	    {"deletes", sum(t->by_op, MCR_OP_DELETE, MCR_OP_DELETE)},
	    {"replanned", sum(&t->replanned, 0, 0)},
	    {"invalidated", sum(&t->invalidated, 0, 0)},
	};

	fputc('{', stream);
	print_phases(stream, "reads", t->reads);
	print_phases(stream, "writes", t->writes);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		fprintf(stream, "%s\"%s\":%" PRIu64, i ? "," : "", fields[i].name, fields[i].value);
	fputs("}\n", stream);
}
