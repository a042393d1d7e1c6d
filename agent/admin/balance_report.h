/* balance_report.h - how even a distribution is, and what slots would make of it. */
#ifndef MCROSTER_ADMIN_BALANCE_REPORT_H
#define MCROSTER_ADMIN_BALANCE_REPORT_H

#include <stdio.h>

#include "list/change.h"
#include "list/list.h"

/* The balance line of a change from `parent` to `next`; where the next list is not one of slots,
 * also what slots would give instead.  -ENOMEM. */
int balance_report(const struct list *parent, const struct list *next, const struct change *change,
		   FILE *out, struct failure *failure);

/* The largest share that a server has, in its fair ones (by weight, where the distribution knows
 * weights; else an even one): max over mean. */
double balance_max_over_mean(const struct list *list, const struct change *change, bool after);

/* Of a list with slots: how many of them the server that is furthest from its share by weight is
 * from it. */
double balance_slots_off(const struct list *list);

#endif
