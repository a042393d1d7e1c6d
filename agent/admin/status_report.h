/* status_report.h - what the cluster is doing, for people. */
#ifndef MCROSTER_ADMIN_STATUS_REPORT_H
#define MCROSTER_ADMIN_STATUS_REPORT_H

#include <stdio.h>

#include "admin/status.h"

/* One screen of it.  -ENOMEM. */
int status_report(const struct status *status, FILE *out);

/* The moving part alone, with all its figures.  -ENOMEM. */
int top_report(const struct status *status, FILE *out);

#endif
