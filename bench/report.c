/* report.c - see report.h. */
#include "report.h"

#include <stdio.h>

static void speed_line(uint32_t servers, unsigned threads, const struct speed *speed,
		       double balance)
{
	(void)printf("%-12s %7u %7u %8.2f", "slots", servers, threads, speed->ns);
	if (speed->peer_ns > 0)
		(void)printf(" %12.1f %6.1fx", speed->peer_ns, speed->peer_ns / speed->ns);
	else
		(void)printf(" %12s %7s", "-", "-");
	(void)printf(" %10.2f %8.4f\n", speed->strict_ns, balance);
}

static void wake_line(const char *readers, const struct wake *wake)
{
	(void)printf("%-12s %9.0f %9.0f %9.0f %9.0f\n", readers, wake->first_us, wake->median_us,
		     wake->last_us, wake->worst_us);
}

void report_table(const struct report *report)
{
	(void)printf(
	    "One whole operation on a 32-byte key: begin, route, plan, end.  Nanoseconds of\n"
	    "processor time, medians of interleaved rounds; libmemcached: KETAMA_WEIGHTED,\n"
	    "memcached_generate_hash, the same servers and keys.\n\n");
	(void)printf("%-12s %7s %7s %8s %12s %7s %10s %8s\n", "distribution", "servers", "threads",
		     "ns", "libmemcached", "ratio", "strict ns", "balance");
	for (unsigned threads = 0; threads < REPORT_THREADS; threads++)
		for (unsigned i = 0; i < REPORT_FLEETS; i++)
			speed_line(report->servers[i], threads + 1, &report->speed[threads][i],
				   report->balance[i]);
	(void)printf("\nKeys that move when a server is added:\n\n");
	(void)printf("%-12s %9s %10s\n", "distribution", "3 to 4", "100 to 101");
	(void)printf("%-12s %8.2f%% %9.2f%%\n", "slots", 100 * report->moved_3_4,
		     100 * report->moved_100_101);
	(void)printf(
	    "\nFrom publication until readers asleep in mcr_wait have planned by it, us:\n\n");
	(void)printf("%-12s %9s %9s %9s %9s\n", "readers", "first", "median", "last", "worst");
	wake_line("1", &report->one);
	wake_line("100", &report->hundred);
}

static void speed_json(uint32_t servers, unsigned threads, const struct speed *speed,
		       double balance)
{
	(void)printf(
	    "    {\"distribution\": \"slots\", \"servers\": %u, \"threads\": %u, \"ns\": %.2f, ",
	    servers, threads, speed->ns);
	if (speed->peer_ns > 0)
		(void)printf("\"libmemcached_ns\": %.2f, \"ratio\": %.2f, ", speed->peer_ns,
			     speed->peer_ns / speed->ns);
	else
		(void)printf("\"libmemcached_ns\": null, \"ratio\": null, ");
	(void)printf("\"strict_ns\": %.2f, \"balance\": %.4f}", speed->strict_ns, balance);
}

static void wake_json(unsigned readers, const struct wake *wake)
{
	(void)printf("    {\"readers\": %u, \"first_us\": %.1f, \"median_us\": %.1f, "
		     "\"last_us\": %.1f, \"worst_us\": %.1f}",
		     readers, wake->first_us, wake->median_us, wake->last_us, wake->worst_us);
}

void report_json(const struct report *report)
{
	(void)printf("{\n  \"lookup\": [\n");
	for (unsigned threads = 0; threads < REPORT_THREADS; threads++)
		for (unsigned i = 0; i < REPORT_FLEETS; i++) {
			speed_json(report->servers[i], threads + 1, &report->speed[threads][i],
				   report->balance[i]);
			(void)printf(
			    threads + 1 == REPORT_THREADS && i + 1 == REPORT_FLEETS ? "\n" : ",\n");
		}
	(void)printf(
	    "  ],\n  \"moved\": [\n    {\"distribution\": \"slots\", \"from_3_to_4\": %.4f, "
	    "\"from_100_to_101\": %.4f}\n  ],\n  \"wake\": [\n",
	    report->moved_3_4, report->moved_100_101);
	wake_json(1, &report->one);
	(void)printf(",\n");
	wake_json(100, &report->hundred);
	(void)printf("\n  ]\n}\n");
}
