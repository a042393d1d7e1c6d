/* command_plan.c - mcadmin plan: the next list, and what it would move.  Touches nothing. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "admin/admin.h"
#include "admin/file.h"
#include "admin/proposal.h"
#include "admin/target.h"

static const char usage[] =
    "Usage: mcadmin plan CLUSTER.CONF [--parent LIST | --agent ...] [-o LIST]\n"
    "                    [--ask yes|no] [--json]\n"
    "\n"
    "Computes the list that follows the active one and says what would move from\n"
    "where to where; the servers are asked what they hold (stats), so it says how\n"
    "many keys and bytes, for how long, and where the memory would not do.  Touches\n"
    "nothing; with -o it writes the list, unsigned, for 'mcadmin sign' and 'mcadmin\n"
    "push'.  Where no list is active yet it is the first one.\n"
    "\n" PROPOSAL_USAGE_PARENT
    "  -o, --output LIST         where the next list goes (replaced if it is "
    "there)\n" PROPOSAL_USAGE_GIVEUP PROPOSAL_USAGE_EPOCH PROPOSAL_USAGE_ASK_PARENT
	PROPOSAL_USAGE_RATES "      --json                as one JSON object\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    PROPOSAL_OPTIONS_PARENT,
    {"output", required_argument, NULL, 'o'},
    PROPOSAL_OPTIONS_GIVEUP,
    PROPOSAL_OPTIONS_EPOCH,
    PROPOSAL_OPTIONS_FORECAST,
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct plan_options {
	const char *conf, *output;
	struct proposal_ask ask;
	struct target target;
	bool json;
};

static int plan_print(const struct plan_options *options, const struct proposal *proposal,
		      struct failure *failure)
{
	struct json json;
	int error;

	if (!options->json)
		return proposal_say(proposal, options->conf, stdout, failure);
	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	error = proposal_json(proposal, &json);
	json_string(&json, "list", proposal->same ? NULL : options->output);
	json_object_close(&json);
	json_end(&json);
	return error < 0 ? failure_set(failure, -error, "no memory for the plan") : 0;
}

static void next_print(const struct plan_options *options)
{
	if (options->output != NULL && !options->json)
		(void)printf("\nUnsigned list in %s.  Next:\n"
			     "  mcadmin sign -k KEY %s\n"
			     "  mcadmin push %s\n",
			     options->output, options->output, options->output);
}

static int plan_run(const struct plan_options *options, struct cluster_conf *conf,
		    struct link *link, struct failure *failure)
{
	struct proposal proposal;
	int error = proposal_make(link, &options->ask, conf, &proposal, failure);

	if (error < 0)
		return error;
	if (proposal.same && options->output != NULL)
		error = failure_set(failure, EEXIST,
				    "nothing changes: epoch %" PRIu64
				    " says what %s wants already, so %s is not written",
				    proposal.parent->epoch, options->conf, options->output);
	else if (options->output != NULL)
		error = file_write(options->output, 0644, true, proposal.next->document,
				   proposal.next->document_bytes, failure);
	if (error == 0)
		error = plan_print(options, &proposal, failure);
	if (error == 0)
		next_print(options);
	proposal_clear(&proposal);
	return error;
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct plan_options *options)
{
	int option, code;

	while ((option = getopt_long(argc, argv, "o:h", option_table, NULL)) != -1) {
		if (target_option(&options->target, option, optarg))
			continue;
		code = proposal_option(argv[0], &options->ask, option, optarg);
		if (code >= 0)
			return code;
		if (code == -1)
			continue;
		switch (option) {
		case 'o':
			options->output = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (argc - optind != 1)
		return admin_usage(argv[0], "one CLUSTER.CONF is wanted, %d given", argc - optind);
	if (options->ask.parent != NULL && target_named(&options->target))
		return admin_usage(argv[0],
				   "--parent and an agent: only one can say what is active");
	options->conf = argv[optind];
	return -1;
}

static int run(int argc, char **argv)
{
	struct plan_options options = {0};
	struct cluster_conf *conf = NULL;
	struct link_peer peer;
	struct link *link = NULL;
	struct failure failure;
	int error = proposal_ask_new(argc, &options.ask, &failure), code = -1;

	if (error == 0)
		code = options_read(argc, argv, &options);
	if (error == 0 && code < 0)
		error = cluster_conf_load(options.conf, &conf, &failure);
	if (error == 0 && code < 0 && options.ask.parent == NULL) {
		code = target_peer(argv[0], &options.target, conf->wanted.cluster, &peer);
		if (code < 0)
			error = link_new(&peer, &link, &failure);
	}
	if (error == 0 && code < 0)
		error = plan_run(&options, conf, link, &failure);
	link_free(link);
	cluster_conf_free(conf);
	proposal_ask_clear(&options.ask);
	if (code >= 0)
		return code;
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_plan = {
    .name = "plan",
    .run = run,
    .group = GROUP_CHANGE,
    .summary = "Say what the next list would move, and write it for signing",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
