/* top_report.c - see status_report.h: what the movers do, and what became of the keys. */
#include "admin/status_report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "admin/bars.h"
#include "admin/human.h"
#include "admin/table.h"
#include "admin/watch.h"

static void failures_print(const struct status_server *server, FILE *out)
{
	if (server->cold != 0)
		(void)fprintf(out, "  %s: no room at the new owner: %" PRIu64 " cold keys left\n",
			      server->name, server->cold);
	if (server->failed == 0)
		return;
	(void)fprintf(out,
		      "  %s lost as misses: %" PRIu64 " refused by their new owner, %" PRIu64
		      " on both sides with the mark unknown, %" PRIu64
		      " never through in time, %" PRIu64
		      " written too late by clients unaware of phases, %" PRIu64
		      " with their new owner given up\n",
		      server->name, server->failed_refused, server->failed_both_sides,
		      server->failed_too_often, server->failed_late, server->failed_given_up);
}

/* How far the asked agent is with each server it works on. */
static int works_print(const struct status *status, FILE *out)
{
	static const char *const headings[] = {"server", "phase", "work",  "progress",
					       ">left",	 ">rate", ">to go"};
	struct table *table = table_new(headings, 7);
	char cells[BAR_CELLS_MAX + 1], duration[HUMAN_NUMBER_BYTES];
	bool any = false;
	int error;

	if (table == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < status->server_count; i++) {
		const struct status_server *server = &status->servers[i];

		const struct bar bar = {server->name,  strcmp(server->work, "done") == 0,
					server->found, server->left,
					server->moved, server->rate};

		if (server->work[0] == '\0')
			continue;
		any = true;
		table_cell(table, "%s", server->name);
		table_cell(table, "%s", server->phase);
		table_cell(table, "%s", server->work);
		table_cell(table, "%s", bar_cells(&bar, BAR_CELLS_MAX, cells));
		table_cell(table, "%" PRIu64, server->left);
		table_cell(table, "%" PRIu64, server->rate);
		table_cell(table, "%s",
			   server->ms_left == 0 ? "-" : human_duration(server->ms_left, duration));
	}
	if (any)
		(void)fputc('\n', out);
	error = any ? table_print(table, "  ", out) : 0;
	table_free(table);
	return error;
}

/* What became of the keys found there. */
static int outcomes_print(const struct status *status, FILE *out)
{
	static const char *const headings[] = {"server",   ">found", ">moved",	">there",
					       ">expired", ">gone",  ">failed", ">cold"};
	struct table *table = table_new(headings, 8);
	bool any = false;
	int error;

	if (table == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < status->server_count; i++) {
		const struct status_server *server = &status->servers[i];

		if (server->work[0] == '\0')
			continue;
		any = true;
		table_cell(table, "%s", server->name);
		table_cell(table, "%" PRIu64, server->found);
		table_cell(table, "%" PRIu64, server->moved);
		table_cell(table, "%" PRIu64, server->present);
		table_cell(table, "%" PRIu64, server->expired);
		table_cell(table, "%" PRIu64, server->gone);
		table_cell(table, "%" PRIu64, server->failed);
		table_cell(table, "%" PRIu64, server->cold);
	}
	if (any)
		(void)fputc('\n', out);
	error = any ? table_print(table, "  ", out) : 0;
	table_free(table);
	for (uint32_t i = 0; error == 0 && i < status->server_count; i++)
		failures_print(&status->servers[i], out);
	return error;
}

/* The sums of the other hosts, which the asked agent does not know by server. */
static int hosts_print(const struct status *status, FILE *out)
{
	static const char *const headings[] = {"host",	 "phase", "work",    ">found",
					       ">moved", ">left", ">failed", ">rate"};
	struct table *table = table_new(headings, 8);
	bool any = false;
	int error;

	if (table == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < status->host_count; i++) {
		const struct status_host *host = &status->hosts[i];

		if (host->found == 0 && strcmp(host->work, "running") != 0)
			continue;
		any = true;
		table_cell(table, "%s", host->name);
		table_cell(table, "%s", host->phase);
		table_cell(table, "%s", host->work);
		table_cell(table, "%" PRIu64, host->found);
		table_cell(table, "%" PRIu64, host->moved);
		table_cell(table, "%" PRIu64, host->left);
		table_cell(table, "%" PRIu64, host->failed);
		table_cell(table, "%" PRIu64, host->rate);
	}
	if (any)
		(void)fputc('\n', out);
	error = any ? table_print(table, "  ", out) : 0;
	table_free(table);
	for (uint32_t i = 0; error == 0 && i < status->host_count; i++)
		if (status->hosts[i].reason[0] != '\0')
			(void)fprintf(out, "  %s: %s\n", status->hosts[i].name,
				      status->hosts[i].reason);
	return error;
}

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
	error = hosts_print(status, out);
	if (error == 0)
		error = works_print(status, out);
	if (error == 0)
		error = outcomes_print(status, out);
	return error;
}
