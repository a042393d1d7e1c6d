/* command_order.c - mcadmin abort, giveup, excuse and failover: an order made for the register as
 * it is, explained, confirmed, signed and offered, or written for others to sign. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/admin.h"
#include "admin/confirm.h"
#include "admin/file.h"
#include "admin/follow.h"
#include "admin/human.h"
#include "admin/offer.h"
#include "admin/order_plan.h"
#include "admin/order_report.h"
#include "admin/order_show.h"
#include "admin/push_report.h"
#include "admin/screen.h"
#include "admin/signing_keys.h"
#include "admin/target.h"

/* clang-format off */
#define ORDER_USAGE \
	SIGNING_KEYS_USAGE \
	"      --yes                 do not ask\n" \
	"  -o, --output FILE         write the signed order instead of offering it:\n" \
	"                            'mcadmin sign' adds more, 'mcadmin push' offers it\n" \
	"      --timeout SECONDS     stop waiting then (exit 4)\n"                              \
	"      --json                the last line on standard output is a JSON object;\n"     \
	"                            goes with --yes\n"
/* clang-format on */

static const char abort_usage[] =
    "Usage: mcadmin abort -k KEYFILE... [--cluster NAME | --agent ...] [--yes]\n"
    "                     [-o FILE] [--timeout SECONDS] [--no-wait]\n"
    "\n"
    "Undoes the change that is under way, in PREPARE or COPY, and waits until it is\n"
    "undone.  No key is lost.\n"
    "\n" ORDER_USAGE "      --no-wait             do not wait until it is undone\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const char giveup_usage[] =
    "Usage: mcadmin giveup SERVER... -k KEYFILE... [--cluster NAME | --agent ...]\n"
    "                      [--yes] [-o FILE] [--timeout SECONDS]\n"
    "\n"
    "Lets the change under way go on without servers that are dead: their work is\n"
    "not waited for, and the keys that only they had become misses.  Where two\n"
    "servers of the change have the name, SERVER is NAME@ADDRESS:PORT.\n"
    "\n" ORDER_USAGE TARGET_USAGE "  -h, --help                this text\n";

static const char excuse_usage[] =
    "Usage: mcadmin excuse AGENT... -k KEYFILE... [--cluster NAME | --agent ...]\n"
    "                      [--yes] [-o FILE] [--timeout SECONDS]\n"
    "\n"
    "Lets a change leave PREPARE without agents that cannot answer.  An excuse waives\n"
    "no server's work.\n"
    "\n" ORDER_USAGE TARGET_USAGE "  -h, --help                this text\n";

static const char failover_usage[] =
    "Usage: mcadmin failover AGENT --term N|asked -k KEYFILE...\n"
    "                        [--cluster NAME | --agent ...] [--yes] [-o FILE]\n"
    "                        [--timeout SECONDS]\n"
    "\n"
    "Makes AGENT the coordinator when the old one and its register are gone.  The old\n"
    "one must be off.\n"
    "\n"
    "      --term N              the term that begins: one more than the newest that\n"
    "                            the agents know ('mcadmin status' shows it)\n"
    "      --term asked          one more than the asked agent knows\n" ORDER_USAGE TARGET_USAGE
    "  -h, --help                this text\n";

/* clang-format off */
#define ORDER_OPTIONS \
	SIGNING_KEYS_OPTIONS, \
	{"output", required_argument, NULL, 'o'}, \
	{"yes", no_argument, NULL, 'y'}, \
	FOLLOW_OPTIONS, \
	{"help", no_argument, NULL, 'h'}, \
	TARGET_OPTIONS, \
	{NULL, 0, NULL, 0}
/* clang-format on */

static const struct option abort_options[] = {FOLLOW_OPTIONS_NO_WAIT, ORDER_OPTIONS};
static const struct option order_options[] = {ORDER_OPTIONS};
static const struct option failover_options[] = {{"term", required_argument, NULL, 'T'},
						 ORDER_OPTIONS};

struct form {
	enum order_kind kind;
	const struct command *command;
	const char *wanted; /* the arguments, for what is said where they are missing */
	int min, max;
};

static const struct form forms[] = {
    {ORDER_ABORT, &command_abort, NULL, 0, 0},
    {ORDER_GIVEUP, &command_giveup, "SERVER", 1, ORDER_TARGETS_MAX},
    {ORDER_EXCUSE, &command_excuse, "AGENT", 1, ORDER_TARGETS_MAX},
    {ORDER_FAILOVER, &command_failover, "AGENT", 1, 1},
};

struct order_options {
	const char *command;
	const struct form *form;
	const char *output;
	char *const *names;
	uint32_t name_count;
	bool yes, has_term;
	uint64_t term; /* 0: asked */
	struct follow_ask follow;
	struct signing_keys keys;
	struct target target;
};

static int arguments_read(int argc, char **argv, struct order_options *options)
{
	const struct form *form = options->form;
	const int count = argc - optind;

	if (form->max == 0 && count > 0)
		return admin_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	if (count < form->min)
		return admin_usage(argv[0], "%s is missing", form->wanted);
	if (count > form->max)
		return admin_usage(argv[0], "at most %d %s, %d given", form->max, form->wanted,
				   count);
	if (form->kind == ORDER_FAILOVER && !options->has_term)
		return admin_usage(argv[0], "--term N or --term asked is missing");
	if (options->keys.count == 0)
		return admin_usage(argv[0], "-k KEYFILE is missing");
	if (options->follow.json && !options->yes)
		return admin_usage(argv[0], "--json is for programs, which cannot be asked: it "
					    "goes with --yes");
	options->names = argv + optind;
	options->name_count = (uint32_t)count;
	return -1;
}

static int term_read(const char *command, const char *text, struct order_options *options)
{
	options->has_term = true;
	options->term = 0;
	if (strcmp(text, "asked") != 0 && !human_number(text, 2, LIST_EPOCH_MAX, &options->term))
		return admin_usage(command, "--term '%s': a number from 2 or 'asked' is wanted",
				   text);
	return -1;
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct order_options *options)
{
	const struct form *form = options->form;
	struct failure failure;
	int option, code, taken;

	while ((option = getopt_long(argc, argv, "k:o:h", form->command->options, NULL)) != -1) {
		if (target_option(&options->target, option, optarg))
			continue;
		code = follow_option(argv[0], &options->follow, option, optarg);
		if (code >= 0)
			return code;
		if (code == -1)
			continue;
		taken = signing_keys_option(&options->keys, option, optarg, &failure);
		if (taken < 0)
			return admin_usage(argv[0], "%s", failure.text);
		if (taken > 0)
			continue;
		switch (option) {
		case 'o':
			options->output = optarg;
			break;
		case 'y':
			options->yes = true;
			break;
		case 'T':
			code = term_read(argv[0], optarg, options);
			if (code >= 0)
				return code;
			break;
		case 'h':
			return admin_help(form->command->usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	return arguments_read(argc, argv, options);
}

static int order_say(const struct order_scene *scene, const struct order *order,
		     struct failure *failure)
{
	struct page page;

	if (page_begin(&page, stdout) < 0)
		return failure_set(failure, ENOMEM, "no memory to explain the order");
	order_report(scene, order, page.text);
	if (page_end(&page, stdout) < 0)
		return failure_set(failure, ENOMEM, "no memory to explain the order");
	return 0;
}

/* Asks the agent, explains the order and has it confirmed. */
static int order_agree(const struct order_options *options, struct link *link, struct order **order,
		       struct failure *failure)
{
	struct order_scene scene;
	int error = order_scene_fetch(link, &scene, failure);

	if (error < 0)
		return error;
	if (options->target.cluster != NULL &&
	    strcmp(options->target.cluster, scene.active->cluster) != 0)
		error = failure_set(failure, EINVAL, "%s is of the cluster %s, want %s",
				    link_peer_name(link), scene.active->cluster,
				    options->target.cluster);
	if (error == 0)
		error = order_plan(&scene, options->form->kind, options->names, options->name_count,
				   options->term, order, failure);
	if (error == 0 && !options->follow.json)
		error = order_say(&scene, *order, failure);
	order_scene_clear(&scene);
	if (error == 0 && !options->yes) {
		/* The operator takes his time; the agent may have ended the session by then. */
		link_hang_up(link);
		error = confirm_ask(options->output == NULL ? "Sign and offer this order?"
							    : "Sign this order?",
				    stdin, confirm_out(), failure);
	}
	return error;
}

/* What became of it; `written` is the file, or NULL. */
static void order_json(const struct order *order, const char *written,
		       const struct outcome *outcome, const struct elapsed *elapsed)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_string(&json, "result", outcome->result);
	json_object_open(&json, "order");
	order_show_json(order, &json);
	json_object_close(&json);
	json_string(&json, "file", written);
	push_report_end(outcome, elapsed, &json);
	json_object_close(&json);
	json_end(&json);
}

static int order_write_out(const struct order_options *options, const struct order *order,
			   const void *document, size_t document_bytes, struct failure *failure)
{
	const struct outcome written = {.result = "written", .code = ADMIN_DONE};
	struct elapsed elapsed;
	char ids[SIGNING_KEYS_IDS_BYTES];
	int error = file_write(options->output, 0644, true, document, document_bytes, failure);

	elapsed_begin(&elapsed, 0);
	if (error == 0 && options->follow.json)
		order_json(order, options->output, &written, &elapsed);
	else if (error == 0)
		(void)printf("\nSigned by %s, in %s.  Next:\n"
			     "  mcadmin sign -k KEY %s     (where more signatures are needed)\n"
			     "  mcadmin push %s\n",
			     signing_keys_ids(&options->keys, ids), options->output,
			     options->output, options->output);
	return error;
}

static int order_offer(const struct order_options *options, const struct order *order,
		       struct link *link, const void *document, size_t document_bytes)
{
	struct elapsed elapsed;
	struct follow follow = {.link = link, .elapsed = &elapsed};
	struct outcome outcome = {0};
	struct failure failure;
	int error, code;

	elapsed_begin(&elapsed, options->follow.timeout_ms);
	error = offer_prepare(link, &elapsed, &failure);
	if (error < 0)
		return admin_fail(options->command, error, &failure);
	if (!options->follow.json)
		(void)putchar('\n');
	offer_document(link, document, document_bytes, &elapsed, &outcome);
	if (outcome.code == ADMIN_DONE && order->kind == ORDER_ABORT && !options->follow.no_wait)
		follow_abort(&follow, order, &outcome);
	status_free(follow.status);
	code = outcome_say(&outcome, options->command, options->follow.json);
	if (options->follow.json)
		order_json(order, NULL, &outcome, &elapsed);
	return code;
}

static int order_run(struct order_options *options, struct link_peer *peer)
{
	struct link *link = NULL;
	struct order *order = NULL;
	void *document = NULL;
	size_t document_bytes;
	struct failure failure;
	int code = ADMIN_DONE, error = signing_keys_load(&options->keys, &failure);

	if (error == 0)
		error = link_new(peer, &link, &failure);
	if (error == 0)
		error = order_agree(options, link, &order, &failure);
	if (error == 0)
		error = signing_keys_sign(&options->keys, order->document, order->document_bytes,
					  &document, &document_bytes, &failure);
	if (error == 0 && options->output != NULL)
		error = order_write_out(options, order, document, document_bytes, &failure);
	else if (error == 0)
		code = order_offer(options, order, link, document, document_bytes);
	if (error == -ENOTTY)
		code = admin_usage(options->command, "%s", failure.text);
	else if (error < 0)
		code = admin_fail(options->command, error, &failure);
	free(document);
	order_free(order);
	link_free(link);
	return code;
}

static int order_command(int argc, char **argv, enum order_kind kind)
{
	struct order_options options = {.command = argv[0], .form = &forms[kind]};
	struct link_peer peer;
	int code = options_read(argc, argv, &options);

	if (code >= 0)
		return code;
	code = target_peer(argv[0], &options.target, NULL, &peer);
	if (code < 0)
		code = order_run(&options, &peer);
	signing_keys_clear(&options.keys);
	return code;
}

static int abort_run(int argc, char **argv)
{
	return order_command(argc, argv, ORDER_ABORT);
}

const struct command command_abort = {
    .name = "abort",
    .run = abort_run,
    .group = GROUP_ORDER,
    .summary = "Undo the change that is under way",
    .usage = abort_usage,
    .options = abort_options,
};

static int giveup_run(int argc, char **argv)
{
	return order_command(argc, argv, ORDER_GIVEUP);
}

const struct command command_giveup = {
    .name = "giveup",
    .run = giveup_run,
    .group = GROUP_ORDER,
    .summary = "Let the change go on without servers that are dead",
    .usage = giveup_usage,
    .options = order_options,
};

static int excuse_run(int argc, char **argv)
{
	return order_command(argc, argv, ORDER_EXCUSE);
}

const struct command command_excuse = {
    .name = "excuse",
    .run = excuse_run,
    .group = GROUP_ORDER,
    .summary = "Let the change begin without agents that cannot answer",
    .usage = excuse_usage,
    .options = order_options,
};

static int failover_run(int argc, char **argv)
{
	return order_command(argc, argv, ORDER_FAILOVER);
}

const struct command command_failover = {
    .name = "failover",
    .run = failover_run,
    .group = GROUP_ORDER,
    .summary = "Name another coordinator when the old one is gone",
    .usage = failover_usage,
    .options = failover_options,
};
