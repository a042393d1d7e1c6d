/* command_diff.c - mcadmin diff: what lies between two lists. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/change_report.h"
#include "admin/human.h"
#include "admin/json.h"
#include "admin/link.h"
#include "admin/list_report.h"
#include "admin/list_source.h"
#include "admin/status.h"
#include "admin/target.h"

static const char usage[] =
    "Usage: mcadmin diff A B [--json] [--cluster NAME | --agent ...]\n"
    "\n"
    "Says what differs between two lists, and what moves from the first to the\n"
    "second.  A and B are files of lists, or lists of an agent: 'active' is the one\n"
    "in force, 'pending' the one that a change is on its way to.  (What a\n"
    "cluster.conf would change is said by 'mcadmin plan'.)\n"
    "\n"
    "      --json                as one JSON object\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct diff {
	const char *names[2];
	struct list *lists[2];
	bool json;
	struct target target;
};

static bool of_agent(const char *name)
{
	return strcmp(name, "active") == 0 || strcmp(name, "pending") == 0;
}

static int pending_get(struct link *link, struct list **list, struct failure *failure)
{
	struct status *status = NULL;
	char *body = NULL;
	size_t body_bytes;
	int error = link_status_get(link, STATUS_CLUSTER, &body, &body_bytes, failure);

	if (error == 0)
		error = status_parse(body, body_bytes, &status, failure);
	if (error == 0 && !status->pending.there)
		error = failure_set(failure, ENOENT,
				    "%s: no change is under way, so no list is "
				    "pending",
				    link_peer_name(link));
	if (error == 0)
		error = list_source_hash(link, status->pending.bytes, list, failure);
	status_free(status);
	free(body);
	return error;
}

static int lists_get(struct diff *diff, struct link *link, struct failure *failure)
{
	int error = 0;

	for (int i = 0; error == 0 && i < 2; i++) {
		if (strcmp(diff->names[i], "active") == 0)
			error = list_source_agent(link, NULL, &diff->lists[i], failure);
		else if (strcmp(diff->names[i], "pending") == 0)
			error = pending_get(link, &diff->lists[i], failure);
		else
			error = list_source_file(diff->names[i], NULL, &diff->lists[i], failure);
	}
	if (error == 0 && strcmp(diff->lists[0]->cluster, diff->lists[1]->cluster) != 0)
		error = failure_set(failure, EINVAL, "%s is of the cluster %s, %s of %s",
				    diff->names[0], diff->lists[0]->cluster, diff->names[1],
				    diff->lists[1]->cluster);
	return error;
}

static int diff_print(const struct list *from, const struct list *to, const struct change *change,
		      struct failure *failure)
{
	char percent[HUMAN_NUMBER_BYTES];

	if (memcmp(from->hash, to->hash, sizeof(from->hash)) == 0) {
		(void)printf("The two are one list: cluster %s, epoch %" PRIu64 ".\n",
			     from->cluster, from->epoch);
		return 0;
	}
	(void)printf("Cluster %s: epoch %" PRIu64 " and epoch %" PRIu64 "\n\n", from->cluster,
		     from->epoch, to->epoch);
	if (change_report_moves(change, stdout) < 0)
		return failure_set(failure, ENOMEM, "no memory to print the difference");
	(void)printf("\nmoves         %s of the keys\n",
		     human_percent(change->moved, change->parts, percent));
	change_report_policy(from, to, stdout);
	return 0;
}

static int diff_json(const struct list *from, const struct list *to, const struct change *change,
		     struct failure *failure)
{
	struct json json;
	int error = 0;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_string(&json, "cluster", from->cluster);
	json_bool(&json, "same", memcmp(from->hash, to->hash, sizeof(from->hash)) == 0);
	json_object_open(&json, "from");
	error = list_report_json(from, &json);
	json_object_close(&json);
	json_object_open(&json, "to");
	if (error == 0)
		error = list_report_json(to, &json);
	json_object_close(&json);
	json_decimal(&json, "percent_moved", 100.0 * (double)change->moved / (double)change->parts);
	if (error == 0)
		error = change_report_moves_json(change, &json);
	json_object_close(&json);
	json_end(&json);
	return error < 0 ? failure_set(failure, -error, "no memory for the difference") : 0;
}

static int diff_run(struct diff *diff, struct link *link, struct failure *failure)
{
	struct change *change;
	int error = lists_get(diff, link, failure);

	if (error == 0)
		error = change_new(diff->lists[0], diff->lists[1], &change, failure);
	if (error < 0)
		return error;
	error =
	    (diff->json ? diff_json : diff_print)(diff->lists[0], diff->lists[1], change, failure);
	change_free(change);
	return error;
}

static int run(int argc, char **argv)
{
	struct diff diff = {.json = false};
	struct link_peer peer;
	struct link *link = NULL;
	struct failure failure;
	int option, error = 0, code = -1;

	while ((option = getopt_long(argc, argv, "h", option_table, NULL)) != -1) {
		if (target_option(&diff.target, option, optarg))
			continue;
		if (option == 'h')
			return admin_help(usage);
		if (option != 'j')
			return admin_usage_hint(argv[0]);
		diff.json = true;
	}
	if (argc - optind != 2)
		return admin_usage(argv[0], "two lists are wanted, %d given", argc - optind);
	diff.names[0] = argv[optind];
	diff.names[1] = argv[optind + 1];
	if (of_agent(diff.names[0]) || of_agent(diff.names[1])) {
		code = target_peer(argv[0], &diff.target, NULL, &peer);
		if (code < 0)
			error = link_new(&peer, &link, &failure);
	} else if (target_named(&diff.target)) {
		return admin_usage(argv[0], "an agent is asked for 'active' and 'pending' alone");
	}
	if (code < 0 && error == 0)
		error = diff_run(&diff, link, &failure);
	link_free(link);
	list_free(diff.lists[0]);
	list_free(diff.lists[1]);
	if (code >= 0)
		return code;
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_diff = {
    .name = "diff",
    .run = run,
    .group = GROUP_WATCH,
    .summary = "Say what differs between two lists",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
