/* coord_show.c - what the coordinator can tell an operator. */
#include "core/coord_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void coord_moved(const struct coord *coord, struct work *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (uint32_t i = 0; i < coord->host_count; i++) {
		const struct coord_host *host = &coord->host[i];
		const struct work *work = &host->work;

		sum->found += host->moved.found;
		sum->moved += host->moved.moved;
		sum->present += host->moved.present;
		sum->expired += host->moved.expired;
		sum->gone += host->moved.gone;
		sum->failed += host->moved.failed;
		sum->cold += host->moved.cold;
		if (coord->reg.next_epoch == 0 || work->state != WORK_RUNNING ||
		    (work->phase != PHASE_COPY && work->phase != PHASE_DRAIN) ||
		    memcmp(work->pending, coord->reg.pending, LIST_HASH_BYTES) != 0)
			continue;
		sum->found += work->found;
		sum->moved += work->moved;
		sum->present += work->present;
		sum->expired += work->expired;
		sum->gone += work->gone;
		sum->failed += work->failed;
		sum->cold += work->cold;
		sum->left += work->left;
		sum->rate += work->rate;
	}
}

void coord_waits_for(const struct coord *coord, uint64_t now_ms, char *text, size_t bytes)
{
	const struct coord_host *host;
	const char *name;
	int server;

	text[0] = '\0';
	if (coord->state == COORD_HALTED)
		(void)snprintf(text, bytes, "%s", coord->halted);
	else if (coord->state == COORD_SILENT && now_ms < coord->blind_ms)
		(void)snprintf(text, bytes,
			       "leases granted before the failover, %" PRIu64 " ms more",
			       coord->blind_ms - now_ms);
	else if (coord->state == COORD_HEARING && coord->failover_term != 0)
		(void)snprintf(text, bytes,
			       "a majority of the listed agents that keep the failover order of "
			       "term %" PRIu64 " to %s",
			       coord->failover_term, coord->name);
	else if (coord_beginning(coord))
		(void)snprintf(text, bytes,
			       "a majority of the %" PRIu32
			       " listed agents to say that they know no register: %" PRIu32
			       " answered so far",
			       coord->active->agent_count, coord_heard(coord));
	else if (coord->state == COORD_HEARING)
		(void)snprintf(
		    text, bytes,
		    "a majority of the listed agents to show their registers; excused ones "
		    "count when all others have");
	if (coord->state != COORD_LEADING || coord_reg_settled(&coord->reg))
		return;
	if (now_ms < coord->blind_ms)
		(void)snprintf(text, bytes,
			       "leases granted before the coordinator's start, %" PRIu64 " ms more",
			       coord->blind_ms - now_ms);
	else if ((name = coord_agent_missing(coord)) != NULL)
		(void)snprintf(text, bytes, "agent %s to adopt %s", name,
			       phase_name((enum phase)coord->reg.phase));
	else if ((host = coord_lease_missing(coord, now_ms)) != NULL)
		(void)snprintf(text, bytes, "%s to adopt %s, or its lease to end in %" PRIu64 " ms",
			       host->listed ? host->name : "an observer",
			       phase_name((enum phase)coord->reg.phase), host->lease_ms - now_ms);
	else if ((host = coord_successor_missing(coord, now_ms)) != NULL)
		(void)snprintf(text, bytes, "%s to reach the next coordinator, %s",
			       host->listed ? host->name : "an observer",
			       coord_successor(coord)->name);
	else if (coord_successor_away(coord) != NULL)
		(void)snprintf(text, bytes,
			       "agent %s, which coordinates next, to hear the register",
			       coord_successor(coord)->name);
	else if (coord->polled_ms > now_ms)
		(void)snprintf(text, bytes,
			       "clients that know nothing of phases to poll, %" PRIu64 " ms more",
			       coord->polled_ms - now_ms);
	else if ((server = coord_work_missing(coord)) >= 0) {
		host =
		    coord_host_named(coord, change_server_agent(coord->change, (uint32_t)server));
		(void)snprintf(text, bytes, "%s, server %s%s%.200s",
			       change_server_agent(coord->change, (uint32_t)server),
			       coord->change->servers[server].name,
			       host != NULL && host->work.reason[0] != '\0' ? ": " : "",
			       host != NULL ? host->work.reason : "");
	} else if ((coord->reg.phase == PHASE_COPY || coord->reg.phase == PHASE_DRAIN) &&
		   coord->quiet_ms > now_ms)
		(void)snprintf(text, bytes,
			       "reservations of servers given up to expire, %" PRIu64 " ms more",
			       coord->quiet_ms - now_ms);
}
