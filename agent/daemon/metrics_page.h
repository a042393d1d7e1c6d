/* metrics_page.h - what an agent's metrics say, in Prometheus' text format.  The words are those of
 * `mcadmin status`, the units Prometheus' own: seconds, bytes, and the bare number of things.
 */
#ifndef MCROSTER_METRICS_PAGE_H
#define MCROSTER_METRICS_PAGE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct agent;

/* A metrics_page (metrics.h); `agent` is the struct agent. */
int metrics_page_make(void *agent, char **text, size_t *bytes);

/* A metric's name is given without its "mcroster_". */
void metric_family(FILE *out, const char *name, const char *type, const char *help);
void metric_gauge(FILE *out, const char *name, const char *help, uint64_t value);
void metric_counter(FILE *out, const char *name, const char *help, uint64_t value);
/* One value of a family, by one label. */
void metric_by(FILE *out, const char *name, const char *label, const char *of, uint64_t value);
void metric_seconds(FILE *out, const char *name, uint64_t value_ms);
void metric_seconds_by(FILE *out, const char *name, const char *label, const char *of,
		       uint64_t value_ms);

/* Servers, movers and the change (metrics_work.c). */
void metrics_work(FILE *out, const struct agent *agent);

#endif
