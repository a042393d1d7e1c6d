/* command_keys_show.c - mcadmin keys show: a keys document readable, from a file or an agent. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "admin/admin.h"
#include "admin/command_keys.h"
#include "admin/keys_report.h"
#include "admin/keys_source.h"
#include "admin/target.h"

static const char usage[] =
    "Usage: mcadmin keys show [--json | --raw] [KEYS | --agent ...]\n"
    "\n"
    "Shows a keys document, or the one in force at an agent.  Its signatures are not\n"
    "checked: 'mcadmin keys verify' does that.\n"
    "\n"
    "      --json                as one JSON object\n"
    "      --raw                 the document itself, byte for byte\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    {"json", no_argument, NULL, 'j'},
    {"raw", no_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct show_options {
	const char *path;
	bool json, raw;
	struct target target;
};

static int json_print(const struct keys *keys, struct failure *failure)
{
	struct json json;
	int error;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	error = keys_report_json(keys, &json, failure);
	json_object_close(&json);
	json_end(&json);
	return error;
}

static int show_print(const struct show_options *options, const struct keys *keys,
		      struct failure *failure)
{
	if (options->json)
		return json_print(keys, failure);
	if (!options->raw)
		return keys_report_text(keys, stdout, failure);
	(void)fwrite(keys->document, 1, keys->document_bytes, stdout);
	return 0;
}

static int keys_from_agent(const char *command, const struct show_options *options,
			   struct keys **keys)
{
	char cluster[LIST_NAME_MAX + 1];
	struct link_peer peer;
	struct link *link = NULL;
	struct failure failure;
	int error, code = target_peer(command, &options->target, NULL, &peer);

	if (code >= 0)
		return code;
	error = link_new(&peer, &link, &failure);
	if (error == 0)
		error = keys_source_agent(link, keys, cluster, &failure);
	if (error == 0 && *keys == NULL)
		error =
		    failure_set(&failure, ENOENT,
				"%s: no keys document is in force: the trusted-keys of agent.conf "
				"count",
				link_peer_name(link));
	link_free(link);
	return error < 0 ? admin_fail(command, error, &failure) : -1;
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct show_options *options)
{
	int option;

	while ((option = getopt_long(argc, argv, "h", option_table, NULL)) != -1) {
		if (target_option(&options->target, option, optarg))
			continue;
		switch (option) {
		case 'j':
			options->json = true;
			break;
		case 'r':
			options->raw = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (argc - optind > 1)
		return admin_usage(argv[0], "one KEYS is wanted, %d given", argc - optind);
	if (options->json && options->raw)
		return admin_usage(argv[0], "--json and --raw: only one of them");
	if (optind < argc)
		options->path = argv[optind];
	if (options->path != NULL && target_named(&options->target))
		return admin_usage(argv[0], "KEYS and an agent: only one of them");
	return -1;
}

static int run(int argc, char **argv)
{
	struct show_options options = {0};
	struct keys *keys = NULL;
	struct failure failure;
	int error = 0, code = options_read(argc, argv, &options);

	if (code >= 0)
		return code;
	if (options.path != NULL)
		error = keys_source_file(options.path, NULL, &keys, &failure);
	else
		code = keys_from_agent(argv[0], &options, &keys);
	if (error == 0 && code < 0)
		error = show_print(&options, keys, &failure);
	keys_free(keys);
	if (code >= 0)
		return code;
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_keys_show = {
    .name = "show",
    .run = run,
    .summary = "Show a keys document",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
