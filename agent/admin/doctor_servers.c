/* doctor_servers.c - see doctor.h: the memcacheds, by their own stats. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "admin/doctor.h"
#include "admin/human.h"
#include "admin/stats_ask.h"

#define VERSION_TESTED	 10618u /* 1.6.18 */
#define VERSION_NEEDED	 10600u
#define MEMORY_WARN	 90u /* per cent */
#define CONNECTIONS_WARN 80u
#define CLOCK_WARN_S	 5u /* memcached counts whole seconds, and is behind by some */

/* "1.6.18-extra" as 10618; 0: it cannot be told. */
static unsigned version_number(const char *version)
{
	unsigned major, minor, patch;

	if (sscanf(version, "%3u.%3u.%3u", &major, &minor, &patch) != 3 || minor > 99 || patch > 99)
		return 0;
	return major * 10000 + minor * 100 + patch;
}

static void version_check(const char *name, const struct server_stats *stats,
			  struct checkup *checkup)
{
	const unsigned number = version_number(stats->version);

	checkup_add(checkup, CHECK_MEMCACHED,
		    number < VERSION_NEEDED   ? CHECKUP_FAULT
		    : number < VERSION_TESTED ? CHECKUP_WARN
					      : CHECKUP_OK,
		    name, "version %s", stats->version[0] != '\0' ? stats->version : "not told");
}

static void flags_check(const char *name, const struct server_stats *stats, struct checkup *checkup)
{
	checkup_add(checkup, CHECK_CAS, stats->cas == 0 ? CHECKUP_FAULT : CHECKUP_OK, name,
		    stats->cas == 0 ? "CAS is off (-C)" : "CAS is on");
	if (stats->dump == 0)
		checkup_add(checkup, CHECK_DUMP, CHECKUP_FAULT, name, "dumps are off (-X)");
	else if (stats->crawler == 0)
		checkup_add(checkup, CHECK_DUMP, CHECKUP_FAULT, name,
			    "there is no LRU crawler (no_lru_crawler)");
	else
		checkup_add(checkup, CHECK_DUMP, CHECKUP_OK, name, "keys can be dumped");
}

static void room_check(const char *name, const struct server_stats *stats, struct checkup *checkup)
{
	char used[HUMAN_NUMBER_BYTES], limit[HUMAN_NUMBER_BYTES], percent[HUMAN_NUMBER_BYTES];
	const bool full =
	    stats->limit > 0 && stats->bytes / (stats->limit / 100 + 1) >= MEMORY_WARN;

	checkup_add(
	    checkup, CHECK_MEMORY, full || stats->evicting == 0 ? CHECKUP_WARN : CHECKUP_OK, name,
	    "%s of %s used (%s)%s", human_bytes(stats->bytes, used),
	    human_bytes(stats->limit, limit), human_percent(stats->bytes, stats->limit, percent),
	    stats->evicting == 0 ? "; it evicts nothing (-M), but answers with an error" : "");
	if (stats->connections_max > 0)
		checkup_add(checkup, CHECK_CONNECTIONS,
			    stats->connections * 100 >= stats->connections_max * CONNECTIONS_WARN
				? CHECKUP_WARN
				: CHECKUP_OK,
			    name, "%" PRIu64 " of %" PRIu64, stats->connections,
			    stats->connections_max);
}

static void clock_check(const char *name, const struct server_stats *stats, struct checkup *checkup)
{
	const uint64_t now = (uint64_t)time(NULL);
	const uint64_t off = stats->time > now ? stats->time - now : now - stats->time;

	if (stats->time == 0)
		return;
	checkup_add(checkup, CHECK_CLOCK, off > CLOCK_WARN_S ? CHECKUP_WARN : CHECKUP_OK, name,
		    "%" PRIu64 " s %s this host's", off, stats->time > now ? "ahead of" : "behind");
}

/* The limits of all that answered, against the largest. */
static void sizes_check(const struct list *list, const struct server_stats *stats,
			struct checkup *checkup)
{
	uint64_t largest = 0;
	char text[HUMAN_NUMBER_BYTES], most[HUMAN_NUMBER_BYTES];

	for (uint32_t i = 0; i < list->server_count; i++)
		if (stats[i].answered && stats[i].item_size_max > largest)
			largest = stats[i].item_size_max;
	for (uint32_t i = 0; i < list->server_count; i++) {
		const bool less = stats[i].item_size_max < largest;

		if (!stats[i].answered || stats[i].item_size_max == 0)
			continue;
		checkup_add(checkup, CHECK_ITEM_SIZE, less ? CHECKUP_WARN : CHECKUP_OK,
			    list->servers[i].name, "items up to %s%s%s",
			    human_bytes(stats[i].item_size_max, text),
			    less ? ", others up to " : "", less ? human_bytes(largest, most) : "");
	}
}

void doctor_servers(const struct list *list, struct checkup *checkup)
{
	struct server_stats *stats = calloc(list->server_count, sizeof(*stats));
	struct failure failure;

	if (stats == NULL) {
		checkup->lost = true;
		return;
	}
	for (uint32_t i = 0; i < list->server_count; i++)
		stats[i].address = list->servers[i].address;
	if (stats_ask(stats, list->server_count, &failure) < 0)
		checkup->lost = true;
	for (uint32_t i = 0; i < list->server_count; i++) {
		const char *name = list->servers[i].name;

		if (!stats[i].answered) {
			checkup_add(checkup, CHECK_SERVERS, CHECKUP_FAULT, name, "%s: %s",
				    list->servers[i].address, stats[i].why);
			continue;
		}
		checkup_add(checkup, CHECK_SERVERS, CHECKUP_OK, name, "answers at %s",
			    list->servers[i].address);
		version_check(name, &stats[i], checkup);
		flags_check(name, &stats[i], checkup);
		room_check(name, &stats[i], checkup);
		clock_check(name, &stats[i], checkup);
	}
	sizes_check(list, stats, checkup);
	free(stats);
}
