/* forecast_report.h - a forecast for people and for programs. */
#ifndef MCROSTER_ADMIN_FORECAST_REPORT_H
#define MCROSTER_ADMIN_FORECAST_REPORT_H

#include <stdio.h>

#include "admin/forecast.h"
#include "admin/json.h"

/* -ENOMEM */
int forecast_report(const struct forecast *forecast, const struct change *change, FILE *out);
/* Members of an object. */
void forecast_json(const struct forecast *forecast, const struct change *change, struct json *json);

#endif
