/* order_report.h - what an order does, and what is lost by it, said before it is signed. */
#ifndef MCROSTER_ADMIN_ORDER_REPORT_H
#define MCROSTER_ADMIN_ORDER_REPORT_H

#include <stdio.h>

#include "admin/order_scene.h"

/* The order must have been made for the scene (order_plan). */
void order_report(const struct order_scene *scene, const struct order *order, FILE *out);

#endif
