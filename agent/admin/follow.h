/* follow.h - waits for what an accepted document has begun, and shows how far it is.
 *
 * The change belongs to the cluster: whatever happens to this program, it goes on, and that is what
 * is said whenever the waiting ends early.
 */
#ifndef MCROSTER_ADMIN_FOLLOW_H
#define MCROSTER_ADMIN_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/link.h"
#include "admin/outcome.h"
#include "admin/status.h"
#include "list/list.h"
#include "list/order.h"

/* What the command line says of the waiting. */
struct follow_ask {
	bool no_wait, json;
	uint64_t timeout_ms; /* 0: none */
};

/* Values for getopt_long, above those of signing_keys.h. */
enum { FOLLOW_TIMEOUT = 0x400, FOLLOW_NO_WAIT, FOLLOW_JSON };

/* clang-format off */
#define FOLLOW_OPTIONS \
	{"timeout", required_argument, NULL, FOLLOW_TIMEOUT}, \
	{"json", no_argument, NULL, FOLLOW_JSON}
#define FOLLOW_OPTIONS_NO_WAIT {"no-wait", no_argument, NULL, FOLLOW_NO_WAIT}
#define FOLLOW_USAGE_TIMEOUT \
	"      --timeout SECONDS     stop waiting then (exit 4)\n"
#define FOLLOW_USAGE_NO_WAIT \
	"      --no-wait             do not wait at all\n"
#define FOLLOW_USAGE_JSON \
	"      --json                the last line on standard output is a JSON object\n"
/* clang-format on */

/* Takes an option that is one of ours: -1; or it has said what is wrong and returns the exit code.
 * -2: it is none of ours. */
int follow_option(const char *command, struct follow_ask *ask, int option, const char *argument);

struct follow {
	struct link *link;
	const struct elapsed *elapsed;
	struct status *status; /* the last one; NULL before the first; for the caller to free */
};

/* Until the cluster has settled on the list, or has undone it. */
void follow_list(struct follow *follow, const struct list *list, struct outcome *outcome);

/* Until the change that the abort is for has been undone. */
void follow_abort(struct follow *follow, const struct order *order, struct outcome *outcome);

#endif
