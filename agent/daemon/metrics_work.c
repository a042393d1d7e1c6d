/* metrics_work.c - see metrics_page.h: the servers of the list, the movers of this agent, and on
 * the coordinator the change as a whole and the hosts' leases.
 */
#include "daemon/metrics_page.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "daemon/agent.h"
#include "daemon/owed_run.h"
#include "daemon/reach.h"
#include "daemon/workers.h"

/* ---- servers ---- */

static uint64_t parts_after(const struct change *change, uint32_t server)
{
	return change->new_epoch != 0 ? change->servers[server].new_parts
				      : change->servers[server].old_parts;
}

static void share(FILE *out, const char *name, const char *server, uint64_t parts, uint64_t all)
{
	fprintf(out, "mcroster_%s{server=\"%s\"} %.6f\n", name, server,
		all != 0 ? (double)parts / (double)all : 0.0);
}

static void work_shares(FILE *out, const struct change *change)
{
	metric_family(out, "server_share_ratio", "gauge",
		      "Share of the keys that is a server's under the list in force.");
	for (uint32_t i = 0; change != NULL && i < change->server_count; i++)
		share(out, "server_share_ratio", change->servers[i].name,
		      change->servers[i].old_parts, change->parts);
	metric_family(out, "server_next_share_ratio", "gauge",
		      "The same after the change under way.");
	for (uint32_t i = 0; change != NULL && i < change->server_count; i++)
		share(out, "server_next_share_ratio", change->servers[i].name,
		      parts_after(change, i), change->parts);
}

static void work_reach(FILE *out, const struct agent *agent, const struct change *change)
{
	metric_family(out, "server_reachable", "gauge",
		      "1: this memcached, which this agent works for, answers it.");
	for (uint32_t i = 0; change != NULL && i < change->server_count; i++) {
		const struct change_server *server = &change->servers[i];
		bool answers;

		if (reach_server(agent->reach, server->name, server->address, &answers))
			metric_by(out, "server_reachable", "server", server->name, answers);
	}
}

static void work_owed(FILE *out, const struct agent *agent, const struct change *change)
{
	static struct owed_to to[OWED_SERVERS_MAX];
	const uint64_t now_s = (uint64_t)time(NULL);

	if (change != NULL)
		owed_run_status_servers(agent->owed, to, change->server_count);
	metric_family(out, "server_owed_keys", "gauge",
		      "Keys that this agent has still to delete at a server.");
	for (uint32_t i = 0; change != NULL && i < change->server_count; i++)
		metric_by(out, "server_owed_keys", "server", change->servers[i].name, to[i].keys);
	metric_family(out, "server_owed_oldest_age_seconds", "gauge",
		      "Age of the oldest of them; 0 without any.");
	for (uint32_t i = 0; change != NULL && i < change->server_count; i++)
		metric_by(out, "server_owed_oldest_age_seconds", "server", change->servers[i].name,
			  to[i].keys != 0 && now_s > to[i].oldest_since_s
			      ? now_s - to[i].oldest_since_s
			      : 0);
}

/* ---- movers ---- */

static void work_now(FILE *out, const struct agent *agent, const struct change *change)
{
	struct mover_failures failed;
	struct work work;

	metric_family(
	    out, "mover_working", "gauge",
	    "1: this agent has work on the server in the present phase, and is not done.");
	for (uint32_t i = 0; change != NULL && i < change->server_count; i++)
		if (workers_server(agent->workers, i, &work, &failed))
			metric_by(out, "mover_working", "server", change->servers[i].name,
				  work.state != WORK_DONE);
	metric_family(out, "mover_left_keys", "gauge",
		      "Keys that are known and not yet dealt with in the present phase.");
	for (uint32_t i = 0; change != NULL && i < change->server_count; i++)
		if (workers_server(agent->workers, i, &work, &failed))
			metric_by(out, "mover_left_keys", "server", change->servers[i].name,
				  work.left);
	metric_family(out, "mover_rate_keys_per_second", "gauge",
		      "Keys a second that are dealt with now.");
	for (uint32_t i = 0; change != NULL && i < change->server_count; i++)
		if (workers_server(agent->workers, i, &work, &failed))
			metric_by(out, "mover_rate_keys_per_second", "server",
				  change->servers[i].name, work.rate);
}

/* A word of the status, and where its number is. */
struct column {
	const char *word, *help;
	size_t offset;
};

static uint64_t number_at(const struct mover_counts *counts, size_t offset)
{
	uint64_t number;

	memcpy(&number, (const uint8_t *)counts + offset, sizeof(number));
	return number;
}

static bool phase_moves(unsigned phase)
{
	return phase == PHASE_PREPARE || phase == PHASE_COPY || phase == PHASE_SETTLE ||
	       phase == PHASE_DRAIN || phase == PHASE_PURGE || phase == PHASE_CLEAN;
}

static void work_counted(FILE *out, const struct agent *agent)
{
#define COLUMN(word, help)                                                                         \
	{                                                                                          \
		"mover_" #word "_keys_total", help, offsetof(struct mover_counts, word)            \
	}
	static const struct column columns[] = {
	    COLUMN(found, "Keys that were found to be concerned."),
	    COLUMN(moved, "Keys now at their new owner, or dropped where dropping is the work."),
	    COLUMN(present, "Keys that their new owner had already."),
	    COLUMN(expired, "Keys that were dead, or soon will be."),
	    COLUMN(gone, "Keys that were deleted meanwhile, or are being recomputed."),
	    COLUMN(cold, "Keys left out: hotter ones would have been evicted for them."),
	};

	for (unsigned c = 0; c < sizeof(columns) / sizeof(columns[0]); c++) {
		metric_family(out, columns[c].word, "counter", columns[c].help);
		for (unsigned phase = 0; phase < PHASE_COUNT; phase++)
			if (phase_moves(phase))
				metric_by(out, columns[c].word, "phase",
					  phase_name((enum phase)phase),
					  number_at(workers_counts(agent->workers, phase),
						    columns[c].offset));
	}
}

static void work_failed(FILE *out, const struct agent *agent)
{
	static const struct column reasons[] = {
	    {"refused", "", offsetof(struct mover_counts, failed.refused)},
	    {"both-sides", "", offsetof(struct mover_counts, failed.both_sides)},
	    {"too-often", "", offsetof(struct mover_counts, failed.too_often)},
	    {"late", "", offsetof(struct mover_counts, failed.late)},
	    {"given-up", "", offsetof(struct mover_counts, failed.given_up)},
	};

	metric_family(out, "mover_failed_keys_total", "counter",
		      "Keys that were lost as misses: refused by their new owner, on both sides "
		      "with the mark unknown, never through in time, written too late by clients "
		      "unaware of phases, or with their new owner given up.");
	for (unsigned r = 0; r < sizeof(reasons) / sizeof(reasons[0]); r++) {
		uint64_t sum = 0;

		for (unsigned phase = 0; phase < PHASE_COUNT; phase++)
			sum += number_at(workers_counts(agent->workers, phase), reasons[r].offset);
		metric_by(out, "mover_failed_keys_total", "reason", reasons[r].word, sum);
	}
}

static void work_pace(FILE *out, const struct agent *agent)
{
	const struct mover_pace *pace = workers_pace(agent->workers);

	metric_gauge(out, "mover_limit_keys_per_second",
		     "rate-keys, the limit of all movers of this agent; 0 is none.",
		     pace->rate_keys);
	metric_gauge(out, "mover_limit_bytes_per_second",
		     "rate-bytes, the limit of all movers of this agent; 0 is none.",
		     pace->rate_bytes);
}

/* ---- what only the coordinator knows ---- */

static void work_change(FILE *out, const struct agent *agent, uint64_t now_ms)
{
	const struct coord *coord = &agent->coord;
	const bool leads = coord->state == COORD_LEADING && coord->reg.term != 0;
	const uint64_t end_ms = coord->reg.next_epoch != 0 ? now_ms : coord->change_ended_ms;
	struct work sum = {0};

	if (leads)
		coord_moved(coord, &sum);
	metric_family(out, "change_keys", "gauge",
		      "Keys of the present or last change by what became of them, on the "
		      "coordinator.");
	if (leads) {
		metric_by(out, "change_keys", "outcome", "moved", sum.moved);
		metric_by(out, "change_keys", "outcome", "present", sum.present);
		metric_by(out, "change_keys", "outcome", "expired", sum.expired);
		metric_by(out, "change_keys", "outcome", "gone", sum.gone);
		metric_by(out, "change_keys", "outcome", "failed", sum.failed);
		metric_by(out, "change_keys", "outcome", "cold", sum.cold);
		metric_by(out, "change_keys", "outcome", "left", sum.left);
	}
	metric_family(out, "change_seconds", "gauge",
		      "How long the present or last change has taken, on the coordinator.");
	if (leads)
		metric_seconds(out, "change_seconds",
			       end_ms > coord->change_began_ms ? end_ms - coord->change_began_ms
							       : 0);
	metric_family(out, "host_lease_left_seconds", "gauge",
		      "For how long each listed agent still holds its lease, on the coordinator.");
	for (uint32_t i = 0; leads && i < coord->host_count; i++)
		if (coord->host[i].listed)
			metric_seconds_by(
			    out, "host_lease_left_seconds", "agent", coord->host[i].name,
			    coord->host[i].lease_ms > now_ms ? coord->host[i].lease_ms - now_ms
							     : 0);
}

void metrics_work(FILE *out, const struct agent *agent)
{
	const struct change *change = agent->host_change;

	work_shares(out, change);
	work_reach(out, agent, change);
	work_owed(out, agent, change);
	work_now(out, agent, change);
	work_counted(out, agent);
	work_failed(out, agent);
	work_pace(out, agent);
	work_change(out, agent, clock_now_ms());
}
