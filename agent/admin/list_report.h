/* list_report.h - a list laid out for people and for programs. */
#ifndef MCROSTER_ADMIN_LIST_REPORT_H
#define MCROSTER_ADMIN_LIST_REPORT_H

#include <stdio.h>

#include "admin/json.h"
#include "list/list.h"

/* "slots 16384", as the list says it. */
void list_report_distribution(const struct list *list, char text[DISTRIBUTION_TEXT_BYTES]);

/* Servers with address, weight, slots where there are any, and share.  -ENOMEM. */
int list_report_servers(const struct list *list, FILE *out);
int list_report_agents(const struct list *list, FILE *out);
/* The policy lines, "name  value". */
void list_report_policy(const struct list *list, FILE *out);

/* The words of the list for two of its fields. */
const char *list_report_registration(const struct list *list);
const char *list_report_isolation(const struct list *list);
/* The members of an object: all of the list but its slot table.  -ENOMEM. */
int list_report_json(const struct list *list, struct json *json);

#endif
