/* spread.c - see spread.h. */
#include "spread.h"

#include "bench.h"
#include "fleet.h"
#include "list/change.h"

static struct change *change_make(const struct list *active, const struct list *next)
{
	struct failure failure = {{0}};
	struct change *change;

	if (change_new(active, next, &change, &failure) != 0)
		bench_end("%s", failure.text);
	return change;
}

double spread_balance(const struct fleet_kind *kind, uint32_t servers)
{
	struct list list;
	struct change *change;
	uint64_t most = 0;
	double mean;

	fleet_list_make(&list, kind, servers, NULL);
	change = change_make(&list, NULL);
	for (uint32_t i = 0; i < servers; i++)
		if (change->servers[i].old_parts > most)
			most = change->servers[i].old_parts;
	mean = (double)change->parts / servers;
	change_free(change);
	fleet_list_free(&list);
	return (double)most / mean;
}

double spread_moved(const struct fleet_kind *kind, uint32_t servers)
{
	struct list active, next;
	struct change *change;
	double moved;

	fleet_list_make(&active, kind, servers, NULL);
	fleet_list_make(&next, kind, servers + 1, &active);
	change = change_make(&active, &next);
	moved = (double)change->moved / (double)change->parts;
	change_free(change);
	fleet_list_free(&next);
	fleet_list_free(&active);
	return moved;
}
