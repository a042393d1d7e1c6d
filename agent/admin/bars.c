/* bars.c - see bars.h. */
#include "admin/bars.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/human.h"

#define NAME_COLUMNS  16u
#define FIGURES_BYTES 120u
#define CELLS_MIN     6u
#define AROUND_CELLS  4u /* blanks beside them, and the column that stays free */

static bool at_work(const char *work)
{
	return strcmp(work, "running") == 0 || strcmp(work, "done") == 0;
}

/* The server of a host that is asked for none of its own: NULL where there are several. */
static const char *sole_server(const struct status *status, const char *agent, bool *known)
{
	const char *name = NULL;
	uint32_t count = 0;

	*known = false;
	for (uint32_t i = 0; i < status->server_count; i++) {
		const struct status_server *server = &status->servers[i];

		if (strcmp(server->agent, agent) != 0)
			continue;
		count++;
		name = server->name;
		*known = *known || server->work[0] != '\0';
	}
	return count == 1 ? name : NULL;
}

uint32_t bars_find(const struct status *status, struct bar bars[BARS_MAX])
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < status->server_count && count < BARS_MAX; i++) {
		const struct status_server *server = &status->servers[i];

		if (at_work(server->work) && server->found > 0)
			bars[count++] =
			    (struct bar){server->name,	strcmp(server->work, "done") == 0,
					 server->found, server->left,
					 server->moved, server->rate};
	}
	for (uint32_t i = 0; i < status->host_count && count < BARS_MAX; i++) {
		const struct status_host *host = &status->hosts[i];
		bool known;
		const char *server = sole_server(status, host->name, &known);

		if (!known && at_work(host->work) && host->found > 0 &&
		    strcmp(host->phase, status->phase) == 0)
			bars[count++] = (struct bar){server != NULL ? server : host->name,
						     strcmp(host->work, "done") == 0,
						     host->found,
						     host->left,
						     host->moved,
						     host->rate};
	}
	return count;
}

static uint64_t dealt_with(const struct bar *bar)
{
	if (bar->done)
		return bar->found;
	return bar->left < bar->found ? bar->found - bar->left : 0;
}

const char *bar_cells(const struct bar *bar, unsigned cells, char text[BAR_CELLS_MAX + 1])
{
	size_t full = 0;

	if (cells > BAR_CELLS_MAX)
		cells = BAR_CELLS_MAX;
	if (bar->done)
		full = cells;
	else if (bar->found > 0)
		full = (size_t)((double)dealt_with(bar) / (double)bar->found * cells);
	memset(text, '.', cells);
	memset(text, '#', full < cells ? full : cells);
	text[cells] = '\0';
	return text;
}

unsigned bars_name_columns(const struct bar *bars, uint32_t count)
{
	size_t columns = 0;

	for (uint32_t i = 0; i < count; i++) {
		const size_t length = strlen(bars[i].name);

		if (length > columns)
			columns = length < NAME_COLUMNS ? length : NAME_COLUMNS;
	}
	return (unsigned)columns;
}

static uint64_t left_ms(const struct bar *bar)
{
	return bar->left < UINT64_MAX / 1000 ? bar->left * 1000 / bar->rate : UINT64_MAX;
}

/* How far it is, how fast and how long still: as many of them as there are columns for. */
static void figures_print(const struct bar *bar, unsigned columns, char text[FIGURES_BYTES])
{
	char percent[HUMAN_NUMBER_BYTES], time[HUMAN_NUMBER_BYTES], more[FIGURES_BYTES];

	(void)snprintf(text, FIGURES_BYTES, " %7s",
		       human_percent(dealt_with(bar), bar->found, percent));
	if (bar->done || bar->rate == 0)
		return;
	(void)human_duration(left_ms(bar), time);
	(void)snprintf(more, sizeof(more), ", %" PRIu64 "/s, %s left", bar->rate, time);
	if (strlen(text) + strlen(more) > columns)
		(void)snprintf(more, sizeof(more), ", %s left", time);
	if (strlen(text) + strlen(more) <= columns)
		(void)strcat(text, more);
}

void bar_line(const struct bar *bar, unsigned columns, unsigned name_columns,
	      char line[BAR_LINE_BYTES])
{
	char cells[BAR_CELLS_MAX + 1], figures[FIGURES_BYTES];
	unsigned taken, room;

	if (columns > BAR_LINE_BYTES)
		columns = BAR_LINE_BYTES;
	if (name_columns > columns / 3)
		name_columns = columns / 3;
	taken = name_columns + AROUND_CELLS;
	/* Fewer cells before fewer figures; and a figure is there or not, never a part of it. */
	figures_print(bar, columns > taken + CELLS_MIN ? columns - taken - CELLS_MIN : 0, figures);
	taken += (unsigned)strlen(figures);
	room = columns > taken + CELLS_MIN ? columns - taken : CELLS_MIN;
	(void)snprintf(line, BAR_LINE_BYTES, "  %-*.*s %s%s", (int)name_columns, (int)name_columns,
		       bar->name, bar_cells(bar, room, cells), figures);
	if (columns > 0)
		line[columns - 1] = '\0';
}
