/* status.c - see status.h.  The text is from an agent, whose word is checked like a stranger's:
 * every number is bounded, every string cleaned before it can reach a terminal. */
#include "admin/status_parser.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/human.h"

static int other_take(const struct status_parser *parser, const char *name, const char *value)
{
	struct status *status = parser->status;
	struct status_other *grown =
	    status_array_grow(status->others, status->other_count, sizeof(*grown));
	struct status_other *other;

	if (grown == NULL)
		return status_no_memory(parser);
	status->others = grown;
	other = &grown[status->other_count++];
	other->name = strdup(name);
	other->value = strdup(value);
	return other->name == NULL || other->value == NULL ? status_no_memory(parser) : 0;
}

/* "KIND NUMBER HASH" */
static int evidence_take(const struct status_parser *parser, char *value, bool asked)
{
	struct status *status = parser->status;
	struct status_evidence *grown =
	    status_array_grow(status->evidence, status->evidence_count, sizeof(*grown));
	struct status_evidence *evidence;

	if (grown == NULL)
		return status_no_memory(parser);
	status->evidence = grown;
	evidence = &grown[status->evidence_count++];
	memset(evidence, 0, sizeof(*evidence));
	evidence->asked = asked;
	(void)snprintf(evidence->kind, sizeof(evidence->kind), "%s", status_word_take(&value));
	if (!human_number(status_word_take(&value), 0, UINT64_MAX, &evidence->number) ||
	    !status_hash_parse(value, &evidence->hash) || !evidence->hash.there)
		return status_refuse(parser, "evidence", value);
	return 0;
}

/* "TERM AGENT", or nothing. */
static int failover_take(const struct status_parser *parser, char *value)
{
	struct status *status = parser->status;
	char *rest = value;
	const char *term = status_word_take(&rest);

	if (*term == '\0' || strcmp(term, "none") == 0)
		return 0;
	if (!human_number(term, 1, UINT64_MAX, &status->failover_term) || *rest == '\0')
		return status_refuse(parser, "failover", term);
	(void)snprintf(status->failover_agent, sizeof(status->failover_agent), "%s", rest);
	return 0;
}

static int line_take(const struct status_parser *parser, char *line)
{
	char *value = line, *name = status_word_take(&value);
	int error;

	if (status_field_take(parser, name, value, &error))
		return error;
	if (strcmp(name, "server") == 0)
		return status_server_take(parser, value);
	if (strcmp(name, "host") == 0)
		return status_host_take(parser, value);
	if (strcmp(name, "evidence") == 0)
		return evidence_take(parser, value, false);
	if (strcmp(name, "asked-owes") == 0)
		return status_asked_owes_take(parser, value);
	if (strcmp(name, "asked-evidence") == 0)
		return evidence_take(parser, value, true);
	if (strcmp(name, "failover") == 0)
		return failover_take(parser, value);
	if (strcmp(name, "view") == 0) {
		parser->status->cluster_view = strcmp(value, "cluster") == 0;
		return 0;
	}
	return other_take(parser, name, value);
}

static int lines_take(struct status_parser *parser, char *text)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n")) != NULL) {
		int error;

		parser->line++;
		if (*line == '\0')
			continue;
		error = line_take(parser, human_clean(line));
		if (error < 0)
			return error;
	}
	return 0;
}

/* The coordinator names hosts as it got to know them; a screen that is redrawn, and a person who
 * looks for one of them, want an order: a2 before a10. */
static int hosts_order(const void *a, const void *b)
{
	const struct status_host *one = a, *other = b;

	return strverscmp(one->name, other->name);
}

int status_parse(const char *body, size_t body_bytes, struct status **status,
		 struct failure *failure)
{
	struct status_parser parser = {.failure = failure};
	struct status *made = calloc(1, sizeof(*made));
	char *text = malloc(body_bytes + 1);
	int error;

	parser.status = made;
	if (made == NULL || text == NULL) {
		error = status_no_memory(&parser);
		goto out;
	}
	made->lease_left_ms = -1;
	for (size_t i = 0; i < body_bytes; i++)
		text[i] = body[i] == '\0' ? '?' : body[i];
	text[body_bytes] = '\0';
	error = lines_take(&parser, text);
	if (error == 0) {
		if (made->host_count > 1)
			qsort(made->hosts, made->host_count, sizeof(*made->hosts), hosts_order);
		*status = made;
		made = NULL;
	}
out:
	free(text);
	status_free(made);
	return error;
}

void status_free(struct status *status)
{
	if (status == NULL)
		return;
	for (uint32_t i = 0; i < status->other_count; i++) {
		free(status->others[i].name);
		free(status->others[i].value);
	}
	free(status->others);
	free(status->evidence);
	free(status->given_up);
	free(status->excused);
	free(status->servers);
	free(status->hosts);
	free(status);
}

bool status_names(const char *names, const char *name)
{
	const size_t length = strlen(name);

	while (names != NULL && *names != '\0') {
		const size_t word = strcspn(names, " ");

		if (word == length && memcmp(names, name, length) == 0)
			return true;
		names += word + (names[word] == ' ');
	}
	return false;
}

const struct status_host *status_host_find(const struct status *status, const char *name)
{
	for (uint32_t i = 0; i < status->host_count; i++)
		if (strcmp(status->hosts[i].name, name) == 0)
			return &status->hosts[i];
	return NULL;
}
