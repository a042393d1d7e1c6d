/* report.c - see report.h. */
#include "report.h"

#include <stdio.h>

static void speed_line(const struct report_kind *kind, uint32_t servers, unsigned threads,
		       unsigned fleet)
{
	const struct speed *speed = &kind->speed[threads][fleet];

	(void)printf("%-20s %7u %7u %8.2f", kind->name, servers, threads + 1, speed->ns);
	if (speed->peer_ns > 0)
		(void)printf(" %12.1f %6.1fx", speed->peer_ns, speed->peer_ns / speed->ns);
	else
		(void)printf(" %12s %7s", "-", "-");
	(void)printf(" %10.2f %8.4f\n", speed->strict_ns, kind->balance[fleet]);
}

static void speeds_print(const struct report *report)
{
	(void)printf(
	    "One whole operation on a 32-byte key by a registered client: begin, route, plan, "
	    "end.\n"
	    "Nanoseconds of processor time, medians of interleaved rounds.  libmemcached:\n"
	    "memcached_generate_hash on the same servers and keys, KETAMA_WEIGHTED (of modula:\n"
	    "modula); it holds 100 servers at most.  balance: the largest share over the "
	    "mean.\n\n");
	(void)printf("%-20s %7s %7s %8s %12s %7s %10s %8s\n", "distribution", "servers", "threads",
		     "ns", "libmemcached", "ratio", "strict ns", "balance");
	for (unsigned kind = 0; kind < REPORT_KINDS; kind++)
		for (unsigned threads = 0; threads < REPORT_THREADS; threads++)
			for (unsigned i = 0; i < REPORT_FLEETS; i++)
				speed_line(&report->kind[kind], report->servers[i], threads, i);
}

void report_table(const struct report *report)
{
	speeds_print(report);
	(void)printf("\nKeys that another equal server moves:\n\n");
	(void)printf("%-20s %9s %10s\n", "distribution", "3 to 4", "100 to 101");
	for (unsigned i = 0; i < REPORT_KINDS; i++)
		(void)printf("%-20s %8.2f%% %9.2f%%\n", report->kind[i].name,
			     100 * report->kind[i].moved_3_4, 100 * report->kind[i].moved_100_101);
	(void)printf(
	    "\nMicroseconds from a publication until registered clients have planned by it\n"
	    "(the first, the median, the last; the last of the worst round), and until the\n"
	    "agent has adopted it:\n\n");
	(void)printf("%-20s %9s %9s %9s %9s %9s\n", "clients", "first", "median", "last", "worst",
		     "adopted");
	for (unsigned i = 0; i < REPORT_CROWDS; i++) {
		const struct wake *wake = &report->crowd[i].wake;

		(void)printf("%-20s %9.0f %9.0f %9.0f %9.0f %9.0f\n", report->crowd[i].name,
			     wake->first_us, wake->median_us, wake->last_us, wake->worst_us,
			     wake->adopted_us);
	}
}

static void speed_json(const struct report_kind *kind, uint32_t servers, unsigned threads,
		       unsigned fleet)
{
	const struct speed *speed = &kind->speed[threads][fleet];

	(void)printf(
	    "    {\"distribution\": \"%s\", \"servers\": %u, \"threads\": %u, \"ns\": %.2f, ",
	    kind->name, servers, threads + 1, speed->ns);
	if (speed->peer_ns > 0)
		(void)printf("\"libmemcached_ns\": %.2f, \"ratio\": %.2f, ", speed->peer_ns,
			     speed->peer_ns / speed->ns);
	else
		(void)printf("\"libmemcached_ns\": null, \"ratio\": null, ");
	(void)printf("\"strict_ns\": %.2f, \"balance\": %.4f}", speed->strict_ns,
		     kind->balance[fleet]);
}

/* Between two entries of an array, and behind the last. */
static void entry_end(bool last)
{
	(void)fputs(last ? "\n" : ",\n", stdout);
}

static void speeds_json(const struct report *report)
{
	for (unsigned kind = 0; kind < REPORT_KINDS; kind++)
		for (unsigned threads = 0; threads < REPORT_THREADS; threads++)
			for (unsigned i = 0; i < REPORT_FLEETS; i++) {
				speed_json(&report->kind[kind], report->servers[i], threads, i);
				entry_end(kind + 1 == REPORT_KINDS &&
					  threads + 1 == REPORT_THREADS && i + 1 == REPORT_FLEETS);
			}
}

void report_json(const struct report *report)
{
	(void)printf("{\n  \"lookup\": [\n");
	speeds_json(report);
	(void)printf("  ],\n  \"moved\": [\n");
	for (unsigned i = 0; i < REPORT_KINDS; i++) {
		(void)printf("    {\"distribution\": \"%s\", \"from_3_to_4\": %.4f, "
			     "\"from_100_to_101\": %.4f}",
			     report->kind[i].name, report->kind[i].moved_3_4,
			     report->kind[i].moved_100_101);
		entry_end(i + 1 == REPORT_KINDS);
	}
	(void)printf("  ],\n  \"publication\": [\n");
	for (unsigned i = 0; i < REPORT_CROWDS; i++) {
		const struct wake *wake = &report->crowd[i].wake;

		(void)printf("    {\"clients\": \"%s\", \"first_us\": %.1f, \"median_us\": %.1f, "
			     "\"last_us\": %.1f, \"worst_us\": %.1f, \"adopted_us\": %.1f}",
			     report->crowd[i].name, wake->first_us, wake->median_us, wake->last_us,
			     wake->worst_us, wake->adopted_us);
		entry_end(i + 1 == REPORT_CROWDS);
	}
	(void)printf("  ]\n}\n");
}
