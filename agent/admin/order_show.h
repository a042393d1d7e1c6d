/* order_show.h - an order laid out for people and for programs: what it commands, and for which
 * register. */
#ifndef MCROSTER_ADMIN_ORDER_SHOW_H
#define MCROSTER_ADMIN_ORDER_SHOW_H

#include <stdio.h>

#include "admin/json.h"
#include "list/order.h"

void order_show_text(const struct order *order, FILE *out);
/* The members of an object. */
void order_show_json(const struct order *order, struct json *json);

#endif
