/* balance_report.c - see balance_report.h.
 *
 * What slots would give is not estimated: the lists are made with slots and compared as any others.
 */
#include "admin/balance_report.h"

#include <stdlib.h>

#include "admin/human.h"
#include "admin/list_report.h"
#include "admin/next_list.h"

static double weight_of(const struct list *list, uint32_t server)
{
	return distribution_rules(list->distribution)->weighted ? list->servers[server].weight : 1;
}

double balance_max_over_mean(const struct list *list, const struct change *change, bool after)
{
	double weight = 0, worst = 0;

	for (uint32_t i = 0; i < list->server_count; i++)
		weight += weight_of(list, i);
	for (uint32_t i = 0; i < list->server_count; i++) {
		const int at =
		    change_server_find(change, list->servers[i].name, list->servers[i].address);
		const struct change_server *server = &change->servers[at];
		const double share =
		    (double)(after ? server->new_parts : server->old_parts) / (double)change->parts;
		const double over = share * weight / weight_of(list, i);

		if (over > worst)
			worst = over;
	}
	return worst;
}

double balance_slots_off(const struct list *list)
{
	uint32_t *slots = calloc(list->server_count, sizeof(*slots));
	double weight = 0, worst = 0;

	for (uint32_t i = 0; slots != NULL && i < list->slot_count; i++)
		slots[list->slots[i]]++;
	for (uint32_t i = 0; i < list->server_count; i++)
		weight += list->servers[i].weight;
	for (uint32_t i = 0; slots != NULL && i < list->server_count; i++) {
		double share = (double)list->slot_count * list->servers[i].weight / weight;
		double off = share > slots[i] ? share - slots[i] : slots[i] - share;

		if (off > worst)
			worst = off;
	}
	free(slots);
	return worst;
}

static int moved_percent(const struct list *from, const struct list *to,
			 char text[HUMAN_NUMBER_BYTES], double *balance, struct failure *failure)
{
	struct change *change;
	int error = change_new(from, to, &change, failure);

	if (error < 0)
		return error;
	(void)human_percent(change->moved, change->parts, text);
	if (balance != NULL)
		*balance = balance_max_over_mean(to, change, true);
	change_free(change);
	return 0;
}

/* The same servers with slots instead: then this change, and the changing over itself. */
static int slots_report(const struct list *parent, const struct list *next, FILE *out,
			struct failure *failure)
{
	struct list before, after;
	char change[HUMAN_NUMBER_BYTES], over[HUMAN_NUMBER_BYTES];
	double balance = 0;
	int error = next_list_slots(parent, NULL, &before, failure);

	if (error < 0)
		return error;
	error = next_list_slots(next, &before, &after, failure);
	if (error < 0) {
		free(before.slots);
		return error;
	}
	error = moved_percent(&before, &after, change, &balance, failure);
	if (error == 0)
		error = moved_percent(next, &after, over, NULL, failure);
	if (error == 0)
		(void)fprintf(
		    out,
		    "with slots    max over mean %.3f, this change would move %s; changing "
		    "to slots\n"
		    "              moves %s once\n",
		    balance, change, over);
	free(before.slots);
	free(after.slots);
	return error;
}

int balance_report(const struct list *parent, const struct list *next, const struct change *change,
		   FILE *out, struct failure *failure)
{
	(void)fprintf(out, "balance       max over mean %.3f, before %.3f",
		      balance_max_over_mean(next, change, true),
		      balance_max_over_mean(parent, change, false));
	if (change->in_slots)
		(void)fprintf(
		    out,
		    "\n              furthest from its share by weight: %.2f slots, before %.2f",
		    balance_slots_off(next), balance_slots_off(parent));
	(void)fputc('\n', out);
	if (next->distribution == DISTRIBUTION_SLOTS)
		return 0;
	return slots_report(parent, next, out, failure);
}
