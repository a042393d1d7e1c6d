/* command_apply.c - mcadmin apply: from cluster.conf to the settled cluster in one command: the
 * plan, a yes, the signature, the offer, and the change watched to its end. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/confirm.h"
#include "admin/follow.h"
#include "admin/human.h"
#include "admin/offer.h"
#include "admin/proposal.h"
#include "admin/push_report.h"
#include "admin/signing_keys.h"
#include "admin/target.h"

static const char usage[] =
    "Usage: mcadmin apply CLUSTER.CONF -k KEYFILE... [--giveup SERVER]...\n"
    "                     [--cluster NAME | --agent ...] [--yes] [--no-wait]\n"
    "                     [--timeout SECONDS] [--json]\n"
    "\n"
    "Makes the cluster what CLUSTER.CONF says: shows the plan, asks, signs the list,\n"
    "offers it to the agent and shows the change until the cluster has settled.\n"
    "From the offer on the change runs by itself: Ctrl-C ends the watching only.\n"
    "Where the agents want several signatures, use 'plan -o', 'sign' and 'push'.\n"
    "\n" SIGNING_KEYS_USAGE PROPOSAL_USAGE_GIVEUP
    "      --yes                 do not ask\n" FOLLOW_USAGE_NO_WAIT FOLLOW_USAGE_TIMEOUT
	PROPOSAL_USAGE_ASK PROPOSAL_USAGE_RATES
    "      --json                the last line on standard output is a JSON object\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    SIGNING_KEYS_OPTIONS,
    PROPOSAL_OPTIONS_GIVEUP,
    {"yes", no_argument, NULL, 'y'},
    FOLLOW_OPTIONS_NO_WAIT,
    FOLLOW_OPTIONS,
    PROPOSAL_OPTIONS_FORECAST,
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct apply {
	const char *command, *conf;
	bool yes;
	struct follow_ask follow;
	struct proposal_ask ask;
	struct signing_keys keys;
	struct target target;
};

static void apply_json(const struct proposal *proposal, const struct list *list,
		       const struct status *status, const struct outcome *outcome,
		       const struct elapsed *elapsed)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_object_open(&json, "plan");
	(void)proposal_json(proposal, &json);
	json_object_close(&json);
	push_report_list(list, status, outcome, elapsed, &json);
	json_object_close(&json);
	json_end(&json);
}

/* Signs the list, offers it and watches.  Returns the exit code. */
static int apply_offer(struct apply *apply, const struct proposal *proposal, struct link *link)
{
	const struct list *next = proposal->next;
	struct elapsed elapsed;
	struct follow follow = {.link = link, .elapsed = &elapsed};
	struct outcome outcome = {0};
	struct failure failure;
	void *document = NULL;
	size_t document_bytes;
	int code, error = signing_keys_sign(&apply->keys, next->document, next->document_bytes,
					    &document, &document_bytes, &failure);

	elapsed_begin(&elapsed, apply->follow.timeout_ms);
	if (error == 0)
		error = offer_prepare(link, &elapsed, &failure);
	if (error < 0) {
		free(document);
		return admin_fail(apply->command, error, &failure);
	}
	if (!apply->follow.json)
		(void)putchar('\n');
	offer_document(link, document, document_bytes, &elapsed, &outcome);
	free(document);
	if (outcome.code == ADMIN_DONE) {
		outcome_set(&outcome, "accepted", ADMIN_DONE, PUSH_ACCEPTED, next->epoch);
		if (!apply->follow.no_wait)
			follow_list(&follow, next, &outcome);
	}
	code = outcome_say(&outcome, apply->command, apply->follow.json);
	if (apply->follow.json)
		apply_json(proposal, next, follow.status, &outcome, &elapsed);
	status_free(follow.status);
	return code;
}

/* Shows the plan and has it confirmed. */
static int apply_agree(const struct apply *apply, const struct proposal *proposal,
		       struct link *link, struct failure *failure)
{
	int error = 0;

	if (!apply->follow.json)
		error = proposal_say(proposal, apply->conf, stdout, failure);
	if (error < 0 || apply->yes || proposal->same)
		return error;
	/* The operator takes his time; the agent may have ended the session by then. */
	link_hang_up(link);
	return confirm_ask("Sign and offer this list?", stdin, confirm_out(), failure);
}

static int apply_run(struct apply *apply, struct cluster_conf *conf, struct link_peer *peer)
{
	struct elapsed elapsed;
	struct outcome nothing = {.result = "same", .code = ADMIN_DONE};
	struct proposal proposal = {0};
	struct link *link = NULL;
	struct failure failure;
	int code = ADMIN_DONE, error = signing_keys_load(&apply->keys, &failure);

	elapsed_begin(&elapsed, 0);
	if (error == 0)
		error = link_new(peer, &link, &failure);
	if (error == 0)
		error = proposal_make(link, &apply->ask, conf, &proposal, &failure);
	if (error == 0)
		error = apply_agree(apply, &proposal, link, &failure);
	if (error == 0 && !proposal.same)
		code = apply_offer(apply, &proposal, link);
	else if (error == 0 && apply->follow.json)
		apply_json(&proposal, proposal.parent, NULL, &nothing, &elapsed);
	if (error == -ENOTTY)
		code = admin_usage(apply->command, "%s", failure.text);
	else if (error < 0)
		code = admin_fail(apply->command, error, &failure);
	proposal_clear(&proposal);
	link_free(link);
	return code;
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct apply *apply)
{
	struct failure failure;
	int option, code, taken;

	while ((option = getopt_long(argc, argv, "k:h", option_table, NULL)) != -1) {
		if (target_option(&apply->target, option, optarg))
			continue;
		code = follow_option(argv[0], &apply->follow, option, optarg);
		if (code >= 0)
			return code;
		if (code == -1)
			continue;
		taken = signing_keys_option(&apply->keys, option, optarg, &failure);
		if (taken < 0)
			return admin_usage(argv[0], "%s", failure.text);
		if (taken > 0)
			continue;
		code = proposal_option(argv[0], &apply->ask, option, optarg);
		if (code >= 0)
			return code;
		if (code == -1)
			continue;
		switch (option) {
		case 'y':
			apply->yes = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (argc - optind != 1)
		return admin_usage(argv[0], "one CLUSTER.CONF is wanted, %d given", argc - optind);
	if (apply->keys.count == 0)
		return admin_usage(argv[0], "-k KEYFILE is missing");
	if (apply->follow.json && !apply->yes)
		return admin_usage(argv[0], "--json is for programs, which cannot be asked: it "
					    "goes with --yes");
	apply->conf = argv[optind];
	return -1;
}

static int run(int argc, char **argv)
{
	struct apply apply = {.command = argv[0]};
	struct cluster_conf *conf = NULL;
	struct link_peer peer;
	struct failure failure;
	int error = proposal_ask_new(argc, &apply.ask, &failure), code = -1;

	if (error == 0)
		code = options_read(argc, argv, &apply);
	if (error == 0 && code < 0)
		error = cluster_conf_load(apply.conf, &conf, &failure);
	if (error < 0)
		code = admin_fail(argv[0], error, &failure);
	if (code < 0)
		code = target_peer(argv[0], &apply.target, conf->wanted.cluster, &peer);
	if (code < 0)
		code = apply_run(&apply, conf, &peer);
	signing_keys_clear(&apply.keys);
	cluster_conf_free(conf);
	proposal_ask_clear(&apply.ask);
	return code;
}

const struct command command_apply = {
    .name = "apply",
    .run = run,
    .group = GROUP_CHANGE,
    .summary = "Plan, confirm, sign, push and watch a change in one",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
