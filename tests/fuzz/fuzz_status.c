/* fuzz_status.c - what an agent, perhaps a hostile one, answers to mcadmin's question for its
 * status.
 *
 * Whatever is taken ends up on a terminal and in JSON: no byte of it may steer either.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/status.h"

static void printable(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			abort();
}

static void lists_check(const struct status *status)
{
	for (uint32_t i = 0; i < status->server_count; i++) {
		printable(status->servers[i].name);
		printable(status->servers[i].address);
		printable(status->servers[i].agent);
	}
	for (uint32_t i = 0; i < status->host_count; i++) {
		printable(status->hosts[i].name);
		printable(status->hosts[i].reason);
		if (status_host_find(status, status->hosts[i].name) == NULL)
			abort();
	}
	for (uint32_t i = 0; i < status->evidence_count; i++) {
		printable(status->evidence[i].kind);
		if (!status->evidence[i].hash.there)
			abort();
	}
	for (uint32_t i = 0; i < status->other_count; i++) {
		printable(status->others[i].name);
		printable(status->others[i].value);
	}
}

/* One line, without anything that JSON does not have. */
static void json_check(const struct status *status)
{
	struct json json;
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	if (out == NULL)
		abort();
	json_begin(&json, out);
	json_object_open(&json, NULL);
	status_json(status, &json);
	json_object_close(&json);
	json_end(&json);
	if (fclose(out) != 0 || bytes == 0 || strlen(text) != bytes || text[bytes - 1] != '\n')
		abort();
	text[bytes - 1] = '\0';
	printable(text);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct status *status = NULL;
	struct failure failure = {{0}};

	if (status_parse((const char *)data, size, &status, &failure) != 0) {
		if (status != NULL || failure.text[0] == '\0')
			abort();
		printable(failure.text);
		return 0;
	}
	printable(status->agent);
	printable(status->cluster);
	printable(status->reason);
	printable(status->waits_for);
	printable(status->failover_agent);
	(void)status_names(status->given_up, "s1");
	lists_check(status);
	json_check(status);
	status_free(status);
	return 0;
}
