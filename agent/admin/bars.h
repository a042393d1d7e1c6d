/* bars.h - how far each server is with the keys that leave it, as a bar.
 *
 * An agent knows its own servers one by one, of other hosts the sum: where a host works for one
 * server that is the server's, else the bar has the host's name.
 */
#ifndef MCROSTER_ADMIN_BARS_H
#define MCROSTER_ADMIN_BARS_H

#include "admin/status.h"

#define BARS_MAX       64u
#define BAR_CELLS_MAX  20u
#define BAR_LINE_BYTES 256u

struct bar {
	const char *name; /* borrowed from the status */
	bool done;
	uint64_t found, left, moved, rate;
};

/* Those that have work in the phase and found keys; returns how many. */
uint32_t bars_find(const struct status *status, struct bar bars[BARS_MAX]);

/* "#######....." of so many cells, not more than BAR_CELLS_MAX. */
const char *bar_cells(const struct bar *bar, unsigned cells, char text[BAR_CELLS_MAX + 1]);

/* The width of the longest of their names, within reason. */
unsigned bars_name_columns(const struct bar *bars, uint32_t count);

/* A line of less than `columns` characters, the name in name_columns. */
void bar_line(const struct bar *bar, unsigned columns, unsigned name_columns,
	      char line[BAR_LINE_BYTES]);

#endif
