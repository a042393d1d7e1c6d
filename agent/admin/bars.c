/* bars.c - see bars.h. */
#include "admin/bars.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/human.h"

#define NAME_COLUMNS 16u
#define CELLS_MIN    6u
#define AROUND_CELLS 12u /* blanks, and the percentage */

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

void bar_line(const struct bar *bar, unsigned columns, unsigned name_columns,
	      char line[BAR_LINE_BYTES])
{
	char cells[BAR_CELLS_MAX + 1], percent[HUMAN_NUMBER_BYTES], time[HUMAN_NUMBER_BYTES];
	unsigned room, used;

	if (columns > BAR_LINE_BYTES)
		columns = BAR_LINE_BYTES;
	if (name_columns > columns / 3)
		name_columns = columns / 3;
	room = columns - name_columns > AROUND_CELLS ? columns - name_columns - AROUND_CELLS : 0;
	used = (unsigned)snprintf(line, BAR_LINE_BYTES, "  %-*.*s %s %7s", (int)name_columns,
				  (int)name_columns, bar->name,
				  bar_cells(bar, room > CELLS_MIN ? room : CELLS_MIN, cells),
				  human_percent(dealt_with(bar), bar->found, percent));
	if (!bar->done && bar->rate > 0 && used < BAR_LINE_BYTES)
		(void)snprintf(
		    line + used, BAR_LINE_BYTES - used, ", %" PRIu64 "/s, %s left", bar->rate,
		    human_duration(bar->left < UINT64_MAX / 1000 ? bar->left * 1000 / bar->rate
								 : UINT64_MAX,
				   time));
	if (columns > 0)
		line[columns - 1] = '\0';
}
