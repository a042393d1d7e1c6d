/* change_report.h - what lies between two lists, laid out for people. */
#ifndef MCROSTER_ADMIN_CHANGE_REPORT_H
#define MCROSTER_ADMIN_CHANGE_REPORT_H

#include <stdio.h>

#include "admin/json.h"
#include "list/change.h"
#include "list/list.h"

/* Servers with their slots before and after; then what moves from where to where.  -ENOMEM. */
int change_report_moves(const struct change *change, FILE *out);
/* The array "moves" of an object: from, to, slots where there are any, percent.  -ENOMEM. */
int change_report_moves_json(const struct change *change, struct json *json);
/* The lines of policy, agents and coordinator that differ; nothing where none does. */
void change_report_policy(const struct list *from, const struct list *to, FILE *out);

#endif
