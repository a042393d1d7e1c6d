/* status_rows.c - see status_parser.h: the lines that a status has for each server and each host.
 */
#include "admin/status_parser.h"

#include <stdio.h>
#include <string.h>

#include "admin/human.h"

static bool server_work_take(struct status_server *server, const char *word)
{
	const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = {
	    {"found", &server->found},
	    {"moved", &server->moved},
	    {"present", &server->present},
	    {"expired", &server->expired},
	    {"gone", &server->gone},
	    {"failed", &server->failed},
	    {"cold", &server->cold},
	    {"failed-refused", &server->failed_refused},
	    {"failed-both-sides", &server->failed_both_sides},
	    {"failed-too-often", &server->failed_too_often},
	    {"failed-late", &server->failed_late},
	    {"failed-given-up", &server->failed_given_up},
	    {"left", &server->left},
	    {"rate", &server->rate},
	    {"ms-left", &server->ms_left},
	};
	const char *value;

	if ((value = status_value_of(word, "phase")) != NULL)
		(void)snprintf(server->phase, sizeof(server->phase), "%s", value);
	else if ((value = status_value_of(word, "work")) != NULL)
		(void)snprintf(server->work, sizeof(server->work), "%s", value);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if ((value = status_value_of(word, numbers[i].name)) != NULL)
			return human_number(value, 0, UINT64_MAX, numbers[i].value);
	return true; /* the others are looked at elsewhere, or of a later version */
}

int status_server_take(const struct status_parser *parser, char *value)
{
	struct status *status = parser->status;
	struct status_server *grown =
	    status_array_grow(status->servers, status->server_count, sizeof(*grown));
	struct status_server *server;

	if (grown == NULL)
		return status_no_memory(parser);
	status->servers = grown;
	server = &grown[status->server_count++];
	memset(server, 0, sizeof(*server));
	(void)snprintf(server->name, sizeof(server->name), "%s", status_word_take(&value));
	(void)snprintf(server->address, sizeof(server->address), "%s", status_word_take(&value));
	while (*value != '\0') {
		char *word = status_word_take(&value);
		const char *agent = status_value_of(word, "agent"),
			   *slots = status_value_of(word, "slots");
		const char *owed = status_value_of(word, "owed");
		const char *since = status_value_of(word, "owed-since");

		if (agent != NULL)
			(void)snprintf(server->agent, sizeof(server->agent), "%s", agent);
		if (!server_work_take(server, word))
			return status_refuse(parser, "server", word);
		if (slots != NULL && !status_pair_parse(word + (slots - word), '/',
							&server->old_slots, &server->new_slots))
			return status_refuse(parser, "server", word);
		if ((owed != NULL && !human_number(owed, 0, UINT64_MAX, &server->owed)) ||
		    (since != NULL && !human_number(since, 0, UINT64_MAX, &server->owed_since)))
			return status_refuse(parser, "server", word);
	}
	return 0;
}

/* "NAME owed=N owed-since=N", of a server whose line has been. */
int status_asked_owes_take(const struct status_parser *parser, char *value)
{
	const char *name = status_word_take(&value);
	struct status_server *server = NULL;

	for (uint32_t i = 0; i < parser->status->server_count; i++)
		if (strcmp(parser->status->servers[i].name, name) == 0)
			server = &parser->status->servers[i];
	while (server != NULL && *value != '\0') {
		char *word = status_word_take(&value);
		const char *owed = status_value_of(word, "owed");
		const char *since = status_value_of(word, "owed-since");

		if ((owed != NULL && !human_number(owed, 0, UINT64_MAX, &server->asked_owed)) ||
		    (since != NULL &&
		     !human_number(since, 0, UINT64_MAX, &server->asked_owed_since)))
			return status_refuse(parser, "asked-owes", word);
	}
	return 0;
}

static bool host_number_take(struct status_host *host, const char *word)
{
	const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = {
	    {"found", &host->found},
	    {"moved", &host->moved},
	    {"present", &host->present},
	    {"expired", &host->expired},
	    {"gone", &host->gone},
	    {"failed", &host->failed},
	    {"cold", &host->cold},
	    {"left", &host->left},
	    {"rate", &host->rate},
	    {"clients-adopted", &host->clients_adopted},
	    {"clients-idle", &host->clients_idle},
	    {"clients-silent", &host->clients_silent},
	    {"clients-refused", &host->clients_refused},
	    {"clients-gone", &host->clients_gone},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *value = status_value_of(word, numbers[i].name);

		if (value != NULL)
			return human_number(value, 0, UINT64_MAX, numbers[i].value);
	}
	return true; /* a name of a later version */
}

static bool host_word_take(struct status_host *host, char *word)
{
	const char *value;

	if ((value = status_value_of(word, "lease-ms-left")) != NULL)
		return status_signed_parse(value, &host->lease_left_ms);
	if ((value = status_value_of(word, "adopted")) != NULL)
		return status_pair_parse(word + (value - word), '.', &host->term, &host->serial);
	if ((value = status_value_of(word, "release")) != NULL)
		(void)snprintf(host->release, sizeof(host->release), "%s", value);
	else if ((value = status_value_of(word, "phase")) != NULL)
		(void)snprintf(host->phase, sizeof(host->phase), "%s", value);
	else if ((value = status_value_of(word, "work")) != NULL)
		(void)snprintf(host->work, sizeof(host->work), "%s", value);
	else
		return host_number_take(host, word);
	return true;
}

int status_host_take(const struct status_parser *parser, char *value)
{
	struct status *status = parser->status;
	struct status_host *grown =
	    status_array_grow(status->hosts, status->host_count, sizeof(*grown));
	struct status_host *host;

	if (grown == NULL)
		return status_no_memory(parser);
	status->hosts = grown;
	host = &grown[status->host_count++];
	memset(host, 0, sizeof(*host));
	host->lease_left_ms = -1;
	(void)snprintf(host->name, sizeof(host->name), "%s", status_word_take(&value));
	while (*value != '\0') {
		const char *reason = status_value_of(value, "reason"); /* the rest of the line */
		char *word;

		if (reason != NULL) {
			(void)snprintf(host->reason, sizeof(host->reason), "%s", reason);
			break;
		}
		word = status_word_take(&value);
		if (!host_word_take(host, word))
			return status_refuse(parser, "host", word);
	}
	return 0;
}
