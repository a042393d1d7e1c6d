/* metrics.h - Prometheus' text over HTTP on a loopback address: GET /metrics.
 *
 * Whoever may connect is a stranger.  The page is made at most once a second whoever asks and how
 * often; so many connections are served at a time, the others wait in the kernel's queue; each is
 * one request of a few KiB without a body, and is over after three seconds whatever it does.
 * All calls from the loop's thread.
 */
#ifndef MCROSTER_METRICS_H
#define MCROSTER_METRICS_H

#include <stddef.h>

#include <event2/event.h>

#include "list/failure.h"

#define METRICS_CONNECTIONS_MAX 8u
#define METRICS_CONNECTION_MS	3000u
#define METRICS_REQUEST_BYTES	8192u
#define METRICS_PAGE_MS		1000u

struct metrics;

/* Makes the page: *text is malloc'd.  A negative errno: there is none to be had. */
typedef int metrics_page(void *context, char **text, size_t *bytes);

/* Listens on a numeric address and port. */
int metrics_open(struct event_base *base, const char *address, metrics_page *page, void *context,
		 struct metrics **metrics, struct failure *failure);
/* Whoever is connected is cut off.  NULL is fine. */
void metrics_close(struct metrics *metrics);

#endif
