/* command_keys_new.c - mcadmin keys new: the next keys document, unsigned. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "admin/admin.h"
#include "admin/command_keys.h"
#include "admin/conf_rules.h"
#include "admin/file.h"
#include "admin/human.h"
#include "admin/keys_report.h"
#include "admin/keys_source.h"
#include "admin/next_keys.h"
#include "admin/target.h"

static const char usage[] =
    "Usage: mcadmin keys new -p PUBLIC... -t THRESHOLD\n"
    "                        [--parent KEYS | --first CLUSTER | --agent ...] -o KEYS\n"
    "                        [--json]\n"
    "\n"
    "Writes the keys document that follows the one in force, unsigned, and says who\n"
    "has to sign it.\n"
    "\n"
    "  -p, --public PUBLIC       a key that will be trusted: the .pub file or its\n"
    "                            base64; each one, those that stay too\n"
    "  -t, --threshold N         so many of them must sign from then on\n"
    "      --parent KEYS         the document in force, from a file; otherwise the\n"
    "                            agent is asked\n"
    "      --first CLUSTER       there is none yet: version 1, asking nobody\n"
    "  -o, --output KEYS         where it goes (replaced if it is there)\n"
    "      --json                what was written, as one JSON object\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    SIGNERS_OPTIONS,
    {"parent", required_argument, NULL, 'P'},
    {"first", required_argument, NULL, 'f'},
    {"output", required_argument, NULL, 'o'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct new_options {
	const char *parent, *first, *output;
	bool json;
	struct signers_trusted keys;
	struct target target;
};

static void next_print(const struct new_options *options, const struct keys *previous,
		       const struct keys *next)
{
	const uint32_t signers = next_keys_signers(previous, next);

	if (previous == NULL)
		(void)printf("Cluster %s: keys version 1, %" PRIu32 " of %" PRIu32 " sign\n",
			     next->cluster, next->threshold, next->key_count);
	else
		(void)printf("Cluster %s: keys version %" PRIu64 " -> %" PRIu64 ", %" PRIu32
			     " of %" PRIu32 " sign, before %" PRIu32 " of %" PRIu32 "\n",
			     next->cluster, previous->version, next->version, next->threshold,
			     next->key_count, previous->threshold, previous->key_count);
	keys_report_keys(previous, next, stdout);
	(void)printf("\nUnsigned in %s.  It wants %" PRIu32 " of its own keys' signatures, and\n",
		     options->output, next->threshold);
	if (previous == NULL)
		(void)printf("those of the threshold of trusted-keys in the agents' agent.conf.\n");
	else
		(void)printf("%" PRIu32 " by keys of version %" PRIu64 ": %" PRIu32
			     " operators at least, one whose key is in both\n"
			     "signs once.\n",
			     previous->threshold, previous->version, signers);
	(void)printf("Next:\n"
		     "  mcadmin sign -k KEY %s\n"
		     "  mcadmin push %s\n",
		     options->output, options->output);
}

static int next_json(const struct new_options *options, const struct keys *previous,
		     const struct keys *next, struct failure *failure)
{
	struct json json;
	int error;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_string(&json, "file", options->output);
	json_unsigned(&json, "previous_version", previous != NULL ? previous->version : 0);
	json_unsigned(&json, "signers_wanted", next_keys_signers(previous, next));
	error = keys_report_json(next, &json, failure);
	json_object_close(&json);
	json_end(&json);
	return error;
}

static int new_run(const struct new_options *options, const char *cluster,
		   const struct keys *previous, struct failure *failure)
{
	struct keys *next = NULL;
	int error = next_keys_make(cluster, previous, &options->keys.trust, &next, failure);

	if (error == 0)
		error = file_write(options->output, 0644, true, next->document,
				   next->document_bytes, failure);
	if (error == 0 && options->json)
		error = next_json(options, previous, next, failure);
	else if (error == 0)
		next_print(options, previous, next);
	keys_free(next);
	return error;
}

static int parent_from_agent(const char *command, const struct new_options *options,
			     struct keys **previous, char cluster[LIST_NAME_MAX + 1])
{
	struct link_peer peer;
	struct link *link = NULL;
	struct failure failure;
	int error, code = target_peer(command, &options->target, NULL, &peer);

	if (code >= 0)
		return code;
	error = link_new(&peer, &link, &failure);
	if (error == 0)
		error = keys_source_agent(link, previous, cluster, &failure);
	link_free(link);
	return error < 0 ? admin_fail(command, error, &failure) : -1;
}

static int options_check(const char *command, struct new_options *options)
{
	const int sources =
	    (options->parent != NULL) + (options->first != NULL) + target_named(&options->target);
	struct failure failure;

	if (options->keys.trust.count == 0)
		return admin_usage(command, "-p PUBLIC is missing: whose signatures will count?");
	if (options->keys.wanted == 0)
		return admin_usage(command, "-t THRESHOLD is missing");
	if (options->output == NULL)
		return admin_usage(command, "-o KEYS is missing");
	if (sources > 1)
		return admin_usage(command, "--parent, --first and an agent: only one can say what "
					    "is in force");
	if (options->first != NULL && !conf_name_valid(options->first))
		return admin_usage(command, "--first '%s' is not a cluster's name", options->first);
	if (signers_trust_finish(&options->keys, &failure) < 0)
		return admin_usage(command, "%s", failure.text);
	return -1;
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct new_options *options)
{
	int option, code;

	while ((option = getopt_long(argc, argv, SIGNERS_LETTERS "o:h", option_table, NULL)) !=
	       -1) {
		if (target_option(&options->target, option, optarg))
			continue;
		code = signers_option(argv[0], &options->keys, option, optarg);
		if (code >= 0)
			return code;
		if (code == -1)
			continue;
		switch (option) {
		case 'P':
			options->parent = optarg;
			break;
		case 'f':
			options->first = optarg;
			break;
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
	if (optind < argc)
		return admin_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	return options_check(argv[0], options);
}

static int run(int argc, char **argv)
{
	struct new_options options = {0};
	struct keys *previous = NULL;
	char cluster[LIST_NAME_MAX + 1] = "";
	struct failure failure;
	int error = 0, code = options_read(argc, argv, &options);

	if (code >= 0)
		return code;
	if (options.first != NULL)
		(void)snprintf(cluster, sizeof(cluster), "%s", options.first);
	else if (options.parent != NULL)
		error = keys_source_file(options.parent, NULL, &previous, &failure);
	else
		code = parent_from_agent(argv[0], &options, &previous, cluster);
	if (error == 0 && code < 0)
		error = new_run(&options, previous != NULL ? previous->cluster : cluster, previous,
				&failure);
	keys_free(previous);
	if (code >= 0)
		return code;
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_keys_new = {
    .name = "new",
    .run = run,
    .summary = "Make a keys document, or the next version of one",
    .usage = usage,
    .options = option_table,
};
