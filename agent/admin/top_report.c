/* top_report.c - see status_report.h: what the movers do, and what became of the keys. */
#include "admin/status_report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "admin/bars.h"
#include "admin/human.h"
#include "admin/table.h"
#include "admin/watch.h"

/* A table of those servers or hosts that have a row in it, or nothing. */
struct view {
	const char *const *headings;
	uint32_t columns, count;
	bool (*row)(struct table *table, const struct status *status, uint32_t number);
};

static int view_print(const struct view *view, const struct status *status, FILE *out)
{
	struct table *table = table_new(view->headings, view->columns);
	bool any = false;
	int error = 0;

	if (table == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < view->count; i++)
		any |= view->row(table, status, i);
	if (any) {
		(void)fputc('\n', out);
		error = table_print(table, "  ", out);
	}
	table_free(table);
	return error;
}

/* The sums of the hosts, by which alone the asked agent knows the others'. */
static bool host_row(struct table *table, const struct status *status, uint32_t number)
{
	const struct status_host *host = &status->hosts[number];

	if (host->found == 0 && strcmp(host->work, "running") != 0)
		return false;
	table_cell(table, "%s", host->name);
	table_cell(table, "%s", host->phase);
	table_cell(table, "%s", host->work);
	table_cell(table, "%" PRIu64, host->found);
	table_cell(table, "%" PRIu64, host->moved);
	table_cell(table, "%" PRIu64, host->left);
	table_cell(table, "%" PRIu64, host->failed);
	table_cell(table, "%" PRIu64, host->rate);
	return true;
}

/* How far the asked agent is with a server it works on. */
static bool work_row(struct table *table, const struct status *status, uint32_t number)
{
	const struct status_server *server = &status->servers[number];
	const struct bar bar = {server->name,  strcmp(server->work, "done") == 0,
				server->found, server->left,
				server->moved, server->rate};
	char cells[BAR_CELLS_MAX + 1], duration[HUMAN_NUMBER_BYTES];

	if (server->work[0] == '\0')
		return false;
	table_cell(table, "%s", server->name);
	table_cell(table, "%s", server->phase);
	table_cell(table, "%s", server->work);
	table_cell(table, "%s", bar_cells(&bar, BAR_CELLS_MAX, cells));
	table_cell(table, "%" PRIu64, server->left);
	table_cell(table, "%" PRIu64, server->rate);
	table_cell(table, "%s",
		   server->ms_left == 0 ? "-" : human_duration(server->ms_left, duration));
	return true;
}

/* What became of the keys found there. */
static bool outcome_row(struct table *table, const struct status *status, uint32_t number)
{
	const struct status_server *server = &status->servers[number];

	if (server->work[0] == '\0')
		return false;
	table_cell(table, "%s", server->name);
	table_cell(table, "%" PRIu64, server->found);
	table_cell(table, "%" PRIu64, server->moved);
	table_cell(table, "%" PRIu64, server->present);
	table_cell(table, "%" PRIu64, server->expired);
	table_cell(table, "%" PRIu64, server->gone);
	table_cell(table, "%" PRIu64, server->failed);
	table_cell(table, "%" PRIu64, server->cold);
	return true;
}

static int views_print(const struct status *status, FILE *out)
{
	static const char *const hosts[] = {"host",   "phase", "work",	  ">found",
					    ">moved", ">left", ">failed", ">rate"};
	static const char *const works[] = {"server", "phase", "work",	"progress",
					    ">left",  ">rate", ">to go"};
	static const char *const outcomes[] = {"server",   ">found", ">moved",	">there",
					       ">expired", ">gone",  ">failed", ">cold"};
	const struct view views[] = {
	    {hosts, 8, status->host_count, host_row},
	    {works, 7, status->server_count, work_row},
	    {outcomes, 8, status->server_count, outcome_row},
	};
	int error = 0;

	for (size_t i = 0; error == 0 && i < sizeof(views) / sizeof(views[0]); i++)
		error = view_print(&views[i], status, out);
	return error;
}

/* ---- what is wrong ---- */

static void lost_print(const struct status_server *server, FILE *out)
{
	const struct {
		uint64_t keys;
		const char *why;
	} all[] = {
	    {server->failed_refused, "refused by their new owner"},
	    {server->failed_both_sides, "on both sides with the mark unknown"},
	    {server->failed_too_often, "never through in time"},
	    {server->failed_late, "written too late by clients unaware of phases"},
	    {server->failed_given_up, "with their new owner given up"},
	};
	const char *between = ":";

	if (server->failed == 0)
		return;
	(void)fprintf(out, "  %s: %" PRIu64 " lost as misses", server->name, server->failed);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].keys == 0)
			continue;
		(void)fprintf(out, "%s %" PRIu64 " %s", between, all[i].keys, all[i].why);
		between = ",";
	}
	(void)fputc('\n', out);
}

static void notes_print(const struct status *status, FILE *out)
{
	for (uint32_t i = 0; i < status->server_count; i++) {
		const struct status_server *server = &status->servers[i];

		if (server->cold != 0)
			(void)fprintf(
			    out, "  %s: no room at the new owner: %" PRIu64 " cold keys left\n",
			    server->name, server->cold);
		lost_print(server, out);
	}
	for (uint32_t i = 0; i < status->host_count; i++)
		if (status->hosts[i].reason[0] != '\0')
			(void)fprintf(out, "  %s: %s\n", status->hosts[i].name,
				      status->hosts[i].reason);
}

/* ---- all ---- */

static void limits_print(const struct status *status, FILE *out)
{
	char bytes[HUMAN_NUMBER_BYTES];

	if (status->rate_keys == 0 && status->rate_bytes == 0)
		return;
	(void)fprintf(out, "limits        agent %s:", status->agent);
	if (status->rate_keys != 0)
		(void)fprintf(out, " %" PRIu64 " keys/s", status->rate_keys);
	if (status->rate_bytes != 0)
		(void)fprintf(out, " %s/s", human_bytes(status->rate_bytes, bytes));
	(void)fputc('\n', out);
}

int top_report(const struct status *status, FILE *out)
{
	char keys[128], time[HUMAN_NUMBER_BYTES];
	int error;

	(void)fprintf(out, "cluster       %s, ", status->cluster);
	if (status->next_epoch != 0)
		(void)fprintf(out, "epoch %" PRIu64 " -> %" PRIu64 ", %s, for %s\n", status->epoch,
			      status->next_epoch, status->phase,
			      human_duration(status->change_ms, time));
	else
		(void)fprintf(out, "epoch %" PRIu64 ", %s; nothing moves\n", status->epoch,
			      status->settled ? "settled" : status->phase);
	if (status->keys_found != 0)
		(void)fprintf(out, "keys          %s; %" PRIu64 " failed\n",
			      watch_keys(status, keys, sizeof(keys)), status->keys_failed);
	limits_print(status, out);
	if (status->waits_for[0] != '\0')
		(void)fprintf(out, "waits for     %s\n", status->waits_for);
	error = views_print(status, out);
	if (error == 0)
		notes_print(status, out);
	return error;
}
