/* command_plan.c - mcadmin plan: the next list, and what it would move.  Touches nothing. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/balance_report.h"
#include "admin/change_report.h"
#include "admin/cluster_conf.h"
#include "admin/file.h"
#include "admin/forecast_report.h"
#include "admin/human.h"
#include "admin/list_source.h"
#include "admin/next_list.h"
#include "admin/servers_ask.h"
#include "admin/status.h"
#include "admin/target.h"
#include "list/change.h"

#define RATE_MAX 1000000000000u

static const char usage[] =
    "Usage: mcadmin plan CLUSTER.CONF [--parent LIST | --agent ...] [-o LIST]\n"
    "                    [--ask yes|no] [--json]\n"
    "\n"
    "Computes the list that follows the active one and says what would move from\n"
    "where to where; the servers are asked what they hold (stats), so it says how\n"
    "many keys and bytes, for how long, and where the memory would not do.  Touches\n"
    "nothing; with -o it writes the list, unsigned.\n"
    "\n"
    "      --parent LIST         the active list, from a file; otherwise the agent is\n"
    "                            asked, by default that of the cluster on this host\n"
    "  -o, --output LIST         where the next list goes (replaced if it is there)\n"
    "      --giveup SERVER       a server that leaves is dead already: its keys\n"
    "                            become misses; may be repeated\n"
    "      --epoch N             its epoch; by default the parent's and one\n"
    "      --ask yes|no          ask the servers; by default no with --parent\n"
    "      --rate-keys N         keys a second of one host's movers, 0 for no limit;\n"
    "                            by default what the agent says of its own\n"
    "      --rate-bytes N        the same in bytes of items\n"
    "      --json                as one JSON object\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    {"parent", required_argument, NULL, 'P'},
    {"output", required_argument, NULL, 'o'},
    {"epoch", required_argument, NULL, 'e'},
    {"giveup", required_argument, NULL, 'g'},
    {"ask", required_argument, NULL, 'a'},
    {"rate-keys", required_argument, NULL, 'k'},
    {"rate-bytes", required_argument, NULL, 'b'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct plan_options {
	const char *conf, *parent, *output;
	uint64_t epoch; /* 0: by itself */
	const char **giveups;
	uint32_t giveup_count;
	struct target target;
	bool json, ask, no_ask;
	bool has_rate_keys, has_rate_bytes;
	uint64_t rate_keys, rate_bytes;
};

/* An epoch that was undone is spent: the next one must be above it, which the list alone cannot
 * tell.  An agent that cannot say so costs nothing: push would be refused with the number. */
static void status_ask(struct link *link, const struct list *parent, struct plan_options *options)
{
	struct status *status = NULL;
	struct failure ignored;
	uint64_t highest = parent->epoch;
	char *body = NULL;
	size_t body_bytes;

	if (link_status_get(link, STATUS_CLUSTER, &body, &body_bytes, &ignored) == 0 &&
	    status_parse(body, body_bytes, &status, &ignored) == 0) {
		if (status->change_epoch > highest)
			highest = status->change_epoch;
		if (!options->has_rate_keys)
			options->rate_keys = status->rate_keys;
		if (!options->has_rate_bytes)
			options->rate_bytes = status->rate_bytes;
		status_free(status);
	}
	free(body);
	if (options->epoch == 0)
		options->epoch = highest + 1;
}

static int parent_from_agent(const char *command, struct plan_options *options,
			     const struct cluster_conf *conf, struct list **parent)
{
	struct link_peer peer;
	struct link *link = NULL;
	struct failure failure;
	int error, code = target_peer(command, &options->target, conf->wanted.cluster, &peer);

	if (code >= 0)
		return code;
	error = link_new(&peer, &link, &failure);
	if (error == 0)
		error = list_source_agent(link, NULL, parent, &failure);
	if (error == 0)
		status_ask(link, *parent, options);
	link_free(link);
	return error < 0 ? admin_fail(command, error, &failure) : -1;
}

/* The servers that --giveup names, each by its address in the parent. */
static int giveups_resolve(const struct plan_options *options, const struct list *parent,
			   struct list *wanted, struct failure *failure)
{
	if (options->giveup_count == 0)
		return 0;
	wanted->giveups = calloc(options->giveup_count, sizeof(*wanted->giveups));
	if (wanted->giveups == NULL)
		return failure_set(failure, ENOMEM, "no memory for the servers given up");
	for (uint32_t i = 0; i < options->giveup_count; i++) {
		const int at = list_server_find(parent, options->giveups[i]);

		if (at < 0)
			return failure_set(failure, EINVAL,
					   "--giveup %s: epoch %" PRIu64 " has no such server",
					   options->giveups[i], parent->epoch);
		memcpy(wanted->giveups[i].name, parent->servers[at].name, LIST_NAME_MAX + 1);
		memcpy(wanted->giveups[i].address, parent->servers[at].address,
		       LIST_ADDRESS_MAX + 1);
		wanted->giveup_count++;
	}
	return 0;
}

static void giveups_print(const struct change *change, const struct list *next)
{
	char percent[HUMAN_NUMBER_BYTES];

	for (uint32_t i = 0; i < next->giveup_count; i++) {
		const struct list_identity *gone = &next->giveups[i];
		const int at = change_server_find(change, gone->name, gone->address);
		uint64_t lost;

		if (at < 0)
			continue;
		lost = change->servers[at].lost;
		(void)printf("giveup        %s: ", gone->name);
		if (change->in_slots)
			(void)printf("the keys of its %" PRIu64 " slots", lost);
		else
			(void)printf("its keys");
		(void)printf(" (%s) become misses\n", human_percent(lost, change->parts, percent));
	}
}

static void moves_print(const struct change *change)
{
	char percent[HUMAN_NUMBER_BYTES];

	(void)human_percent(change->moved, change->parts, percent);
	if (change->in_slots)
		(void)printf("\nmoves         %" PRIu64 " of %" PRIu64 " slots: %s\n",
			     change->moved, change->parts, percent);
	else
		(void)printf("\nmoves         %s of the keys\n", percent);
}

/* *forecast stays NULL where the servers are not to be asked. */
static int forecast_get(const struct plan_options *options, const struct change *change,
			struct forecast **forecast, struct failure *failure)
{
	int error;

	*forecast = NULL;
	if (options->no_ask || (options->parent != NULL && !options->ask))
		return 0;
	*forecast = forecast_new(change);
	if (*forecast == NULL)
		return failure_set(failure, ENOMEM, "no memory for the forecast");
	(*forecast)->rate_keys = options->rate_keys;
	(*forecast)->rate_bytes = options->rate_bytes;
	error = servers_ask(*forecast, change, failure);
	return error < 0 ? error : forecast_make(*forecast, change, failure);
}

static int change_print(const struct list *parent, const struct list *next,
			const struct change *change, const struct forecast *forecast,
			struct failure *failure)
{
	int error = 0;

	(void)printf("Cluster %s: epoch %" PRIu64 " -> %" PRIu64 "\n\n", next->cluster,
		     parent->epoch, next->epoch);
	if (change_report_moves(change, stdout) < 0)
		error = failure_set(failure, ENOMEM, "no memory to print the plan");
	moves_print(change);
	if (error == 0)
		error = balance_report(parent, next, change, stdout, failure);
	giveups_print(change, next);
	change_report_policy(parent, next, stdout);
	if (error == 0 && forecast != NULL && forecast_report(forecast, change, stdout) < 0)
		error = failure_set(failure, ENOMEM, "no memory to print the plan");
	return error;
}

static void change_json(const struct plan_options *options, const struct list *parent,
			const struct list *next, const struct change *change,
			const struct forecast *forecast)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_string(&json, "cluster", next->cluster);
	json_unsigned(&json, "parent_epoch", parent->epoch);
	json_unsigned(&json, "epoch", next->epoch);
	json_bool(&json, "changes", change != NULL);
	if (change != NULL) {
		json_decimal(&json, "percent_moved",
			     100.0 * (double)change->moved / (double)change->parts);
		if (change->in_slots) {
			json_unsigned(&json, "slots", change->parts);
			json_unsigned(&json, "slots_moved", change->moved);
		}
	}
	json_string(&json, "list", change != NULL ? options->output : NULL);
	if (forecast != NULL)
		forecast_json(forecast, change, &json);
	json_object_close(&json);
	json_end(&json);
}

static int change_say(const struct plan_options *options, const struct list *parent,
		      const struct list *next, struct failure *failure)
{
	struct forecast *forecast = NULL;
	struct change *change;
	int error = change_new(parent, next, &change, failure);

	if (error < 0)
		return error;
	error = forecast_get(options, change, &forecast, failure);
	if (error == 0 && options->json)
		change_json(options, parent, next, change, forecast);
	else if (error == 0)
		error = change_print(parent, next, change, forecast, failure);
	forecast_free(forecast);
	change_free(change);
	return error;
}

static int plan_write(const struct plan_options *options, const struct list *next,
		      struct failure *failure)
{
	int error =
	    file_write(options->output, 0644, true, next->document, next->document_bytes, failure);

	if (error == 0 && !options->json)
		(void)printf("\nUnsigned list in %s.  Next:\n"
			     "  mcadmin sign -k KEY %s\n"
			     "  mcadmin push %s\n",
			     options->output, options->output, options->output);
	return error;
}

static int plan_run(const struct plan_options *options, struct cluster_conf *conf,
		    const struct list *parent, struct failure *failure)
{
	struct list *next = NULL;
	bool same = false;
	int error = giveups_resolve(options, parent, &conf->wanted, failure);

	if (error == 0)
		error = next_list_make(conf, parent, options->epoch, &next, failure);
	if (error < 0)
		return error;
	error = next_list_same(parent, next, &same, failure);
	if (error == 0 && same && options->output != NULL)
		error = failure_set(failure, EEXIST,
				    "nothing changes: epoch %" PRIu64
				    " says what %s wants already, so %s is not written",
				    parent->epoch, options->conf, options->output);
	else if (error == 0 && same && options->json)
		change_json(options, parent, next, NULL, NULL);
	else if (error == 0 && same)
		(void)printf("Nothing changes: epoch %" PRIu64 " says what %s wants already.\n",
			     parent->epoch, options->conf);
	else if (error == 0)
		error = change_say(options, parent, next, failure);
	if (error == 0 && !same && options->output != NULL)
		error = plan_write(options, next, failure);
	list_free(next);
	return error;
}

static bool rate_take(struct plan_options *options, int option, const char *text)
{
	bool keys = option == 'k';

	*(keys ? &options->has_rate_keys : &options->has_rate_bytes) = true;
	return human_number(text, 0, RATE_MAX, keys ? &options->rate_keys : &options->rate_bytes);
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct plan_options *options)
{
	int option;

	while ((option = getopt_long(argc, argv, "o:h", option_table, NULL)) != -1) {
		if (target_option(&options->target, option, optarg))
			continue;
		switch (option) {
		case 'P':
			options->parent = optarg;
			break;
		case 'o':
			options->output = optarg;
			break;
		case 'e':
			if (!human_number(optarg, 1, LIST_EPOCH_MAX, &options->epoch))
				return admin_usage(argv[0], "--epoch '%s' is not an epoch", optarg);
			break;
		case 'g':
			options->giveups[options->giveup_count++] = optarg;
			break;
		case 'a':
			options->ask = strcmp(optarg, "yes") == 0;
			options->no_ask = strcmp(optarg, "no") == 0;
			if (!options->ask && !options->no_ask)
				return admin_usage(argv[0], "--ask '%s' is neither yes nor no",
						   optarg);
			break;
		case 'k':
		case 'b':
			if (!rate_take(options, option, optarg))
				return admin_usage(
				    argv[0], "'%s' is no number from 0 to 1000000000000", optarg);
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
	if (options->parent != NULL && target_named(&options->target))
		return admin_usage(argv[0],
				   "--parent and an agent: only one can say what is active");
	options->conf = argv[optind];
	return -1;
}

static int run(int argc, char **argv)
{
	struct plan_options options = {0};
	struct cluster_conf *conf = NULL;
	struct list *parent = NULL;
	struct failure failure;
	int error = 0, code;

	/* An option takes a place of argv at least, so this is room for any number of them. */
	options.giveups = calloc((size_t)argc + 1, sizeof(*options.giveups));
	if (options.giveups == NULL)
		return admin_fail(argv[0], failure_set(&failure, ENOMEM, "no memory"), &failure);
	code = options_read(argc, argv, &options);
	if (code < 0)
		error = cluster_conf_load(options.conf, &conf, &failure);
	if (code < 0 && error == 0 && options.parent != NULL)
		error = list_source_file(options.parent, NULL, &parent, &failure);
	else if (code < 0 && error == 0)
		code = parent_from_agent(argv[0], &options, conf, &parent);
	if (code < 0 && error == 0)
		error = plan_run(&options, conf, parent, &failure);
	list_free(parent);
	cluster_conf_free(conf);
	free(options.giveups);
	if (code >= 0)
		return code;
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_plan = {
    .name = "plan",
    .run = run,
    .group = GROUP_CHANGE,
    .summary = "Compute the next list and say what would move",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
