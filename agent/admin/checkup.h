/* checkup.h - what doctor has found: each finding belongs to a check, of which one table says what
 * it means and what to do. */
#ifndef MCROSTER_ADMIN_CHECKUP_H
#define MCROSTER_ADMIN_CHECKUP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "admin/json.h"

enum check {
	CHECK_AGENT,
	CHECK_LEASE,
	CHECK_TROUBLE,
	CHECK_EVIDENCE,
	CHECK_SEGMENT,
	CHECK_HEARTBEAT,
	CHECK_CONF,
	CHECK_KEYS,
	CHECK_IDENTITY,
	CHECK_SPACE,
	CHECK_PEERS,
	CHECK_VERSIONS,
	CHECK_CLIENTS,
	CHECK_OWED,
	CHECK_SERVERS,
	CHECK_MEMCACHED,
	CHECK_CAS,
	CHECK_DUMP,
	CHECK_ITEM_SIZE,
	CHECK_MEMORY,
	CHECK_CONNECTIONS,
	CHECK_CLOCK,
	CHECK_COUNT
};

enum checkup_level { CHECKUP_OK, CHECKUP_WARN, CHECKUP_FAULT };

struct finding {
	enum check check;
	enum checkup_level level;
	char subject[192]; /* what it is about: a server, a file; "" */
	char found[320];
};

struct checkup {
	struct finding *findings;
	uint32_t count;
	bool lost; /* memory was out */
};

void checkup_clear(struct checkup *checkup);
void checkup_add(struct checkup *checkup, enum check check, enum checkup_level level,
		 const char *subject, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The worst of all levels. */
enum checkup_level checkup_worst(const struct checkup *checkup);

/* In the order of the checks; of those that found nothing wrong one line each, unless `all`. */
void checkup_report(const struct checkup *checkup, bool all, FILE *out);
/* The members of an object. */
void checkup_json(const struct checkup *checkup, struct json *json);

#endif
