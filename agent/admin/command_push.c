/* command_push.c - mcadmin push: offers a signed document to an agent and waits for what it begins.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "admin/admin.h"
#include "admin/any_document.h"
#include "admin/follow.h"
#include "admin/human.h"
#include "admin/json.h"
#include "admin/offer.h"
#include "admin/push_report.h"
#include "admin/target.h"

static const char usage[] =
    "Usage: mcadmin push DOCUMENT [--agent ...] [--timeout SECONDS] [--no-wait]\n"
    "                    [--json]\n"
    "\n"
    "Offers a signed list, order or keys document to an agent.  When a list is\n"
    "accepted it waits until the cluster has settled on it, when an abort is, until\n"
    "the change is undone.  Whether it waits or not, the cluster goes on by itself.\n"
    "\n" FOLLOW_USAGE_TIMEOUT FOLLOW_USAGE_NO_WAIT FOLLOW_USAGE_JSON TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    FOLLOW_OPTIONS, FOLLOW_OPTIONS_NO_WAIT, {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS, {NULL, 0, NULL, 0},
};

struct push {
	const char *command;
	const char *path;
	struct follow_ask follow;
	struct target target;
	struct any_document any;
	struct elapsed elapsed;
};

/* The end of an offer that was accepted, for the kinds whose end is more than the verdict. */
static void accepted_follow(const struct push *push, struct follow *follow, struct outcome *outcome)
{
	const struct order *order = push->any.order;

	if (push->any.kind == ANY_LIST) {
		outcome_set(outcome, "accepted", ADMIN_DONE, PUSH_ACCEPTED, push->any.list->epoch);
		if (!push->follow.no_wait)
			follow_list(follow, push->any.list, outcome);
	} else if (order != NULL && order->kind == ORDER_ABORT && !push->follow.no_wait) {
		follow_abort(follow, order, outcome);
	}
}

static void outcome_json(const struct push *push, const struct status *status,
			 const struct outcome *outcome)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	if (push->any.kind == ANY_LIST) {
		push_report_list(push->any.list, status, outcome, &push->elapsed, &json);
	} else {
		json_string(&json, "result", outcome->result);
		json_string(&json, "document", any_document_kind(&push->any));
	}
	if (push->any.kind == ANY_ORDER)
		json_string(&json, "order", order_kind_name(push->any.order->kind));
	if (push->any.kind == ANY_KEYS)
		json_unsigned(&json, "version", push->any.keys->version);
	if (push->any.kind != ANY_LIST)
		push_report_end(outcome, &push->elapsed, &json);
	json_object_close(&json);
	json_end(&json);
}

static int push_run(struct push *push, struct link_peer *peer)
{
	struct follow follow = {.elapsed = &push->elapsed};
	struct outcome outcome = {0};
	struct failure failure;
	int error, code;

	elapsed_begin(&push->elapsed, push->follow.timeout_ms);
	error = link_new(peer, &follow.link, &failure);
	if (error == 0)
		error = offer_prepare(follow.link, &push->elapsed, &failure);
	if (error < 0) {
		code = admin_fail(push->command, error, &failure);
	} else {
		offer_document(follow.link, push->any.bytes, push->any.length, &push->elapsed,
			       &outcome);
		if (outcome.code == ADMIN_DONE)
			accepted_follow(push, &follow, &outcome);
		code = outcome_say(&outcome, push->command, push->follow.json);
		if (push->follow.json)
			outcome_json(push, follow.status, &outcome);
	}
	status_free(follow.status);
	link_free(follow.link);
	return code;
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct push *push)
{
	int option, code;

	while ((option = getopt_long(argc, argv, "h", option_table, NULL)) != -1) {
		if (target_option(&push->target, option, optarg))
			continue;
		code = follow_option(argv[0], &push->follow, option, optarg);
		if (code >= 0)
			return code;
		if (code == -1)
			continue;
		switch (option) {
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (argc - optind != 1)
		return admin_usage(argv[0], "one DOCUMENT is wanted, %d given", argc - optind);
	push->path = argv[optind];
	return -1;
}

static int run(int argc, char **argv)
{
	struct push push = {.command = argv[0]};
	struct link_peer peer;
	struct failure failure;
	int error, code = options_read(argc, argv, &push);

	if (code >= 0)
		return code;
	error = any_document_file(push.path, NULL, &push.any, &failure);
	if (error < 0)
		return admin_fail(argv[0], error, &failure);
	code = target_peer(argv[0], &push.target, push.any.cluster, &peer);
	if (code < 0)
		code = push_run(&push, &peer);
	any_document_clear(&push.any);
	return code;
}

const struct command command_push = {
    .name = "push",
    .run = run,
    .group = GROUP_DOCUMENT,
    .summary = "Offer a signed document to the cluster and watch the change",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
