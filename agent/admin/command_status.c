/* command_status.c - mcadmin status and top: what the cluster is doing, once or redrawn. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/human.h"
#include "admin/json.h"
#include "admin/link.h"
#include "admin/screen.h"
#include "admin/status.h"
#include "admin/status_report.h"
#include "admin/target.h"

static const char status_usage[] =
    "Usage: mcadmin status [--watch] [--every SECONDS] [--json | --raw]\n"
    "                      [--cluster NAME | --agent ...]\n"
    "\n"
    "Shows what the cluster is doing: the coordinator's view where the agent can\n"
    "reach it, otherwise the agent's own.\n"
    "\n"
    "  -w, --watch               show it again and again, until Ctrl-C\n"
    "      --every SECONDS       so often (1); includes --watch\n"
    "      --json                as one JSON object; with --watch one a line\n"
    "      --raw                 the lines \"name value\" as the agent gave them\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const char top_usage[] =
    "Usage: mcadmin top [--once] [--every SECONDS] [--json]\n"
    "                   [--cluster NAME | --agent ...]\n"
    "\n"
    "Shows the keys that move: each server's progress, rate and time to go, and what\n"
    "became of its keys, redrawn until Ctrl-C.  Of servers that other agents work for\n"
    "it knows their hosts' sums.  Elsewhere than at a terminal it shows it once.\n"
    "\n"
    "      --once                once also at a terminal\n"
    "      --every SECONDS       redrawn so often (1)\n"
    "      --json                as the JSON object of 'mcadmin status'\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option status_options[] = {
    {"watch", no_argument, NULL, 'w'},
    {"every", required_argument, NULL, 'e'},
    {"json", no_argument, NULL, 'j'},
    {"raw", no_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

static const struct option top_options[] = {
    {"once", no_argument, NULL, 'o'},
    {"every", required_argument, NULL, 'e'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct view {
	const struct command *command;
	int (*report)(const struct status *status, FILE *out);
	bool watch, once, json, raw;
	uint64_t every_s;
	struct target target;
};

/* Line by line, so that nothing but text reaches the terminal. */
static void raw_print(char *body)
{
	char *line;

	while ((line = strsep(&body, "\n")) != NULL)
		if (*line != '\0')
			(void)puts(human_clean(line));
}

static void status_json_print(const struct status *status)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	status_json(status, &json);
	json_object_close(&json);
	json_end(&json);
}

static int page_show(const struct view *view, const struct status *status, struct failure *failure)
{
	struct page page;
	int error = page_begin(&page, stdout), shown;

	if (error < 0)
		return failure_set(failure, -error, "no memory to print the status");
	error = view->report(status, page.text);
	if (view->watch && screen_rows(stdout) > 0)
		shown = page_redraw(&page, stdout);
	else
		shown = page_end(&page, stdout);
	return error < 0 || shown < 0
		   ? failure_set(failure, ENOMEM, "no memory to print the status")
		   : 0;
}

static int view_show(const struct view *view, struct link *link, struct failure *failure)
{
	struct status *status = NULL;
	char *body = NULL;
	size_t body_bytes;
	int error = link_status_get(link, STATUS_CLUSTER, &body, &body_bytes, failure);

	if (error == 0)
		error = status_parse(body, body_bytes, &status, failure);
	if (error == 0 && view->raw)
		raw_print(body);
	else if (error == 0 && view->json)
		status_json_print(status);
	else if (error == 0)
		error = page_show(view, status, failure);
	if (error == 0 && fflush(stdout) != 0)
		error = failure_set(failure, errno, "standard output: %s", strerror(errno));
	status_free(status);
	free(body);
	return error;
}

/* An agent that is away may come back: that it is away is shown in the place of its status. */
static int trouble_show(const struct view *view, const struct failure *failure)
{
	struct page page;

	if (view->json || view->raw || screen_rows(stdout) == 0) {
		screen_say(stderr, "%s", failure->text);
		return 0;
	}
	if (page_begin(&page, stdout) < 0)
		return -ENOMEM;
	(void)fprintf(page.text, "%s\n", failure->text);
	return page_redraw(&page, stdout);
}

/* Until Ctrl-C, which is how a watch ends well. */
static int view_watch(const struct view *view, struct link *link, struct failure *failure)
{
	const bool terminal = screen_rows(stdout) > 0 && !view->json && !view->raw;
	bool first = true;
	int error = link_catch_interrupt(link, failure);

	if (error == 0 && terminal)
		(void)fputs("\033[H\033[2J", stdout);
	while (error == 0) {
		if (!first && !terminal && !view->json)
			(void)putchar('\n');
		first = false;
		error = view_show(view, link, failure);
		if (ferror(stdout) != 0)
			return error;
		if (error != 0 && error != -EINTR && error != -ENOMEM)
			error = trouble_show(view, failure);
		if (error == 0)
			error = link_pause(link, (uint32_t)(view->every_s * 1000), failure);
	}
	if (terminal)
		(void)putchar('\n');
	return error == -EINTR ? 0 : error;
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct view *view)
{
	int option;

	while ((option = getopt_long(argc, argv, view->command == &command_status ? "wh" : "h",
				     view->command->options, NULL)) != -1) {
		if (target_option(&view->target, option, optarg))
			continue;
		switch (option) {
		case 'w':
			view->watch = true;
			break;
		case 'o':
			view->once = true;
			break;
		case 'e':
			if (!human_number(optarg, 1, 3600, &view->every_s))
				return admin_usage(argv[0], "--every '%s': 1 to 3600 seconds",
						   optarg);
			view->watch = true;
			break;
		case 'j':
			view->json = true;
			break;
		case 'r':
			view->raw = true;
			break;
		case 'h':
			return admin_help(view->command->usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (optind < argc)
		return admin_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	if (view->json && view->raw)
		return admin_usage(argv[0], "--json and --raw: only one of them");
	if (view->command == &command_top)
		view->watch = (view->watch || screen_rows(stdout) > 0) && !view->once;
	return -1;
}

static int view_command(int argc, char **argv, struct view *view)
{
	struct link *link = NULL;
	struct link_peer peer;
	struct failure failure;
	int error, code = options_read(argc, argv, view);

	if (code < 0)
		code = target_peer(argv[0], &view->target, NULL, &peer);
	if (code >= 0)
		return code;
	error = link_new(&peer, &link, &failure);
	if (error == 0)
		error = view->watch ? view_watch(view, link, &failure)
				    : view_show(view, link, &failure);
	link_free(link);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

static int status_run(int argc, char **argv)
{
	struct view view = {.command = &command_status, .report = status_report, .every_s = 1};

	return view_command(argc, argv, &view);
}

const struct command command_status = {
    .name = "status",
    .run = status_run,
    .group = GROUP_WATCH,
    .summary = "Show what the cluster is doing; --watch redraws it",
    .usage = status_usage,
    .options = status_options,
};

static int top_run(int argc, char **argv)
{
	struct view view = {.command = &command_top, .report = top_report, .every_s = 1};

	return view_command(argc, argv, &view);
}

const struct command command_top = {
    .name = "top",
    .run = top_run,
    .group = GROUP_WATCH,
    .summary = "Show the keys that move, redrawn",
    .usage = top_usage,
    .options = top_options,
};
