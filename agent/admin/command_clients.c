/* command_clients.c - mcadmin clients: which processes of this host are behind, and who they are.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mcroster.h>

#include "admin/admin.h"
#include "admin/clients_list.h"
#include "admin/human.h"
#include "admin/json.h"
#include "admin/link.h"
#include "admin/screen.h"
#include "admin/table.h"
#include "admin/target.h"

static const char usage[] =
    "Usage: mcadmin clients [--all] [--json] [--cluster NAME | --agent PATH]\n"
    "\n"
    "Shows the client processes of this host that are not known to be on the newest\n"
    "generation, by pid and command:\n"
    "  silent   runs something older, or has not answered yet\n"
    "  refused  says that it cannot use the newest one, and why\n"
    "  gone     its connection has ended a moment ago, or its process lives on\n"
    "           without one\n"
    "\n"
    "      --all                 those as well that use the newest one, and those\n"
    "                            that run nothing (idle)\n"
    "      --json                as one JSON object, with all of them\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    {"all", no_argument, NULL, 'a'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

static const char *user_name(uint64_t uid, char number[24])
{
	const struct passwd *user = getpwuid((uid_t)uid);

	(void)snprintf(number, 24, "%" PRIu64, uid);
	return user != NULL ? user->pw_name : number;
}

static const char *reason_of(const struct clients_process *process)
{
	return process->reason == 0 || process->reason > 100 ? NULL
							     : mcr_strerror(-(int)process->reason);
}

static void clients_json(const struct status *status, const struct clients_list *list)
{
	struct json json;
	char number[24];

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_string(&json, "cluster", status->cluster);
	json_string(&json, "agent", status->agent);
	json_unsigned(&json, "generation", status->generation);
	json_array_open(&json, "clients");
	for (uint32_t i = 0; i < list->count; i++) {
		const struct clients_process *process = &list->process[i];

		json_object_open(&json, NULL);
		json_unsigned(&json, "pid", process->pid);
		json_string(&json, "user", user_name(process->uid, number));
		json_unsigned(&json, "uid", process->uid);
		json_string(&json, "standing", process->standing);
		json_unsigned(&json, "generation", process->generation);
		json_unsigned(&json, "age_ms", process->age_ms);
		json_string(&json, "reason", reason_of(process));
		json_string(&json, "command",
			    process->command[0] != '\0' ? process->command : NULL);
		json_object_close(&json);
	}
	json_array_close(&json);
	json_unsigned(&json, "left_out", list->left_out);
	json_object_close(&json);
	json_end(&json);
}

static void head_print(const struct status *status, const struct clients_list *list, FILE *out)
{
	static const char *const standings[] = {"adopted", "idle", "silent", "refused", "gone"};

	(void)fprintf(out, "agent         %s, generation %" PRIu64 "\nclients      ", status->agent,
		      status->generation);
	for (size_t s = 0; s < sizeof(standings) / sizeof(standings[0]); s++) {
		uint32_t count = 0;

		for (uint32_t i = 0; i < list->count; i++)
			count += strcmp(list->process[i].standing, standings[s]) == 0;
		(void)fprintf(out, "%s %" PRIu32 " %s", s > 0 ? "," : "", count, standings[s]);
	}
	(void)fputc('\n', out);
	if (list->left_out > 0)
		(void)fprintf(out, "              and %" PRIu64 " more, which are not looked at\n",
			      list->left_out);
}

static int clients_print(const struct status *status, const struct clients_list *list, bool all,
			 FILE *out)
{
	static const char *const headings[] = {">pid",	      "user", "standing",
					       ">generation", ">for", "command"};
	struct table *table = table_new(headings, 6);
	char number[24], age[HUMAN_NUMBER_BYTES];
	int error;

	if (table == NULL)
		return -ENOMEM;
	head_print(status, list, out);
	for (uint32_t i = 0; i < list->count; i++) {
		const struct clients_process *process = &list->process[i];

		if (!all && !clients_process_behind(process))
			continue;
		table_cell(table, "%" PRIu64, process->pid);
		table_cell(table, "%s", user_name(process->uid, number));
		table_cell(table, "%s", process->standing);
		table_cell(table, "%" PRIu64, process->generation);
		table_cell(table, "%s", human_duration(process->age_ms, age));
		table_cell(table, "%s%s%s", process->command[0] != '\0' ? process->command : "-",
			   reason_of(process) != NULL ? ": " : "",
			   reason_of(process) != NULL ? reason_of(process) : "");
	}
	error = table_print(table, "  ", out);
	table_free(table);
	return error;
}

static int clients_say(const struct status *status, const struct clients_list *list, bool all,
		       struct failure *failure)
{
	struct page page;
	int error = page_begin(&page, stdout), shown;

	if (error == 0) {
		error = clients_print(status, list, all, page.text);
		shown = page_end(&page, stdout);
		error = error < 0 ? error : shown;
	}
	return error < 0 ? failure_set(failure, -error, "no memory to print the clients") : 0;
}

static int clients_run(struct link_peer *peer, bool all, bool as_json, struct failure *failure)
{
	struct link *link = NULL;
	struct status *status = NULL;
	struct clients_list list = {0};
	char *body = NULL;
	size_t body_bytes;
	int error = link_new(peer, &link, failure);

	if (error == 0)
		error = link_status_get(link, STATUS_LOCAL, &body, &body_bytes, failure);
	if (error == 0)
		error = status_parse(body, body_bytes, &status, failure);
	if (error == 0)
		error = clients_list_make(status, &list, failure);
	if (error == 0 && as_json)
		clients_json(status, &list);
	else if (error == 0)
		error = clients_say(status, &list, all, failure);
	clients_list_clear(&list);
	status_free(status);
	free(body);
	link_free(link);
	return error;
}

static int run(int argc, char **argv)
{
	struct target target = {0};
	struct link_peer peer;
	struct failure failure;
	bool all = false, as_json = false;
	int option, error, code;

	while ((option = getopt_long(argc, argv, "h", option_table, NULL)) != -1) {
		if (target_option(&target, option, optarg))
			continue;
		switch (option) {
		case 'a':
			all = true;
			break;
		case 'j':
			as_json = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (optind < argc)
		return admin_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	code = target_peer(argv[0], &target, NULL, &peer);
	if (code >= 0)
		return code;
	error = clients_run(&peer, all, as_json, &failure);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_clients = {
    .name = "clients",
    .run = run,
    .group = GROUP_WATCH,
    .summary = "Show this host's processes that are on an old generation",
    .usage = usage,
    .options = option_table,
};
