/* push_report.h - what became of a list that was offered, for programs. */
#ifndef MCROSTER_ADMIN_PUSH_REPORT_H
#define MCROSTER_ADMIN_PUSH_REPORT_H

#include "admin/json.h"
#include "admin/outcome.h"
#include "admin/status.h"
#include "list/list.h"

#define PUSH_ACCEPTED "Epoch %" PRIu64 " is accepted; the change runs by itself."

/* The members of an object.  `status` is the last one seen, or NULL. */
void push_report_list(const struct list *list, const struct status *status,
		      const struct outcome *outcome, const struct elapsed *elapsed,
		      struct json *json);
/* The last two of them, which every outcome has: the time and the reason. */
void push_report_end(const struct outcome *outcome, const struct elapsed *elapsed,
		     struct json *json);

#endif
