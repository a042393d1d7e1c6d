/* evidence.c - see evidence.h.  What is in the directory counts, so a file that was removed is
 * forgotten at once. */
#include "daemon/evidence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/log.h"

#define EVIDENCE_FILE	    "evidence."
#define EVIDENCE_NAME_BYTES 128u

const char *evidence_kind_name(enum evidence_kind kind)
{
	return kind == EVIDENCE_KEYS ? "keys" : "list";
}

static void evidence_name(const struct evidence *evidence, char name[EVIDENCE_NAME_BYTES])
{
	char hex[2 * LIST_HASH_BYTES + 1];

	(void)sodium_bin2hex(hex, sizeof(hex), evidence->hash, LIST_HASH_BYTES);
	(void)snprintf(name, EVIDENCE_NAME_BYTES, EVIDENCE_FILE "%s.%" PRIu64 ".%s",
		       evidence_kind_name(evidence->kind), evidence->number, hex);
}

/* False: somebody else's file. */
static bool evidence_parse(const char *name, struct evidence *evidence)
{
	char again[EVIDENCE_NAME_BYTES], *end;
	const char *rest = name + strlen(EVIDENCE_FILE);
	size_t bytes = 0;

	evidence->kind = strncmp(rest, "keys.", 5) == 0 ? EVIDENCE_KEYS : EVIDENCE_LIST;
	evidence->number = strtoull(rest + 5, &end, 10);
	if (*end != '.' || sodium_hex2bin(evidence->hash, LIST_HASH_BYTES, end + 1, strlen(end + 1),
					  NULL, &bytes, NULL) != 0)
		return false;
	evidence_name(evidence, again);
	return strcmp(again, name) == 0;
}

struct reading {
	struct evidence *kept;
	uint32_t count;
};

static void evidence_take(const char *name, void *context)
{
	struct reading *reading = context;

	if (reading->count < EVIDENCE_MAX && strlen(name) > strlen(EVIDENCE_FILE) + 5 &&
	    evidence_parse(name, &reading->kept[reading->count]))
		reading->count++;
}

static int evidence_compare(const void *a, const void *b)
{
	return memcmp(((const struct evidence *)a)->hash, ((const struct evidence *)b)->hash,
		      LIST_HASH_BYTES);
}

uint32_t evidence_read(struct state *state, struct evidence kept[EVIDENCE_MAX])
{
	struct reading reading = {.kept = kept};

	(void)state_each(state, EVIDENCE_FILE, evidence_take, &reading, NULL);
	qsort(kept, reading.count, sizeof(*kept), evidence_compare);
	return reading.count;
}

static const struct evidence *evidence_find(const struct evidence *kept, uint32_t count,
					    const uint8_t hash[LIST_HASH_BYTES])
{
	for (uint32_t i = 0; i < count; i++)
		if (memcmp(kept[i].hash, hash, LIST_HASH_BYTES) == 0)
			return &kept[i];
	return NULL;
}

void evidence_keep(struct state *state, const struct evidence *evidence, const void *document,
		   size_t bytes)
{
	const char *what =
	    evidence->kind == EVIDENCE_KEYS ? "keys document of version" : "list of epoch";
	struct evidence kept[EVIDENCE_MAX];
	const uint32_t count = evidence_read(state, kept);
	char name[EVIDENCE_NAME_BYTES];
	struct failure failure;

	if (evidence_find(kept, count, evidence->hash) != NULL)
		return;
	if (count == EVIDENCE_MAX) {
		log_event(LOG_LEVEL_ERROR, &(const struct log_fields){.event = "equivocation"},
			  "equivocation: one more signed %s %" PRIu64
			  ", not kept: %u such documents are kept already",
			  what, evidence->number, EVIDENCE_MAX);
		return;
	}
	evidence_name(evidence, name);
	if (state_store(state, name, document, bytes, &failure) != 0)
		log_event(LOG_LEVEL_ERROR, &(const struct log_fields){.event = "equivocation"},
			  "equivocation: a second signed %s %" PRIu64 ": %s", what,
			  evidence->number, failure.text);
	else
		log_event(LOG_LEVEL_ERROR, &(const struct log_fields){.event = "equivocation"},
			  "equivocation: a second signed %s %" PRIu64
			  " is kept in the state directory as %s",
			  what, evidence->number, name);
}

void *evidence_load(struct state *state, const uint8_t hash[LIST_HASH_BYTES], size_t *bytes)
{
	struct evidence kept[EVIDENCE_MAX];
	const struct evidence *found = evidence_find(kept, evidence_read(state, kept), hash);
	char name[EVIDENCE_NAME_BYTES];
	struct failure failure;
	void *document = NULL;

	if (found == NULL)
		return NULL;
	evidence_name(found, name);
	if (state_load(state, name, DOCUMENT_BYTES_MAX, &document, bytes, &failure) != 0)
		log_line(LOG_LEVEL_ERROR, "%s", failure.text);
	return document;
}
