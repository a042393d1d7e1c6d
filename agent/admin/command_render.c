/* command_render.c - mcadmin render: the list as another program's configuration. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "admin/admin.h"
#include "admin/any_document.h"
#include "admin/human.h"
#include "admin/link.h"
#include "admin/render.h"
#include "admin/screen.h"
#include "admin/signers.h"
#include "admin/target.h"
#include "admin/unaware_hash.h"

static const char usage[] =
    "Usage: mcadmin render --format FORMAT [-p PUBLIC]... [-t N]\n"
    "                      [DOCUMENT | --agent ...]\n"
    "\n"
    "Writes the list's servers as the configuration of another program.  Without a\n"
    "file, the list of an agent for clients that know nothing of phases (as 'mcadmin\n"
    "show --unaware'): while a change runs, the next one from SWITCH on.\n"
    "\n"
    "  -f, --format FORMAT       json, env, twemproxy, memcached-proxy, mcrouter or\n"
    "                            haproxy.  A list whose distribution the program does\n"
    "                            not have is refused\n" SIGNERS_USAGE TARGET_USAGE
    "  -h, --help                this text\n";

struct render_options {
	const char *path;
	const struct render_format *format;
	struct signers_trusted trusted;
	struct target target;
};

static const struct option option_table[] = {
    {"format", required_argument, NULL, 'f'},
    SIGNERS_OPTIONS,
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct render_options *options)
{
	struct failure failure;
	int option, code;

	while ((option = getopt_long(argc, argv, "f:" SIGNERS_LETTERS "h", option_table, NULL)) !=
	       -1) {
		if (target_option(&options->target, option, optarg))
			continue;
		code = signers_option(argv[0], &options->trusted, option, optarg);
		if (code >= 0)
			return code;
		if (code == -1)
			continue;
		switch (option) {
		case 'f':
			options->format = render_find(optarg);
			if (options->format == NULL)
				return admin_usage(argv[0],
						   "--format '%s': json, env, twemproxy, "
						   "memcached-proxy, mcrouter or haproxy is wanted",
						   optarg);
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (options->format == NULL)
		return admin_usage(argv[0], "a --format is wanted");
	if (argc - optind > 1)
		return admin_usage(argv[0], "one DOCUMENT at most, %d given", argc - optind);
	if (optind < argc && target_named(&options->target))
		return admin_usage(argv[0], "a DOCUMENT and an agent's: one of them");
	if (signers_trust_finish(&options->trusted, &failure) < 0)
		return admin_usage(argv[0], "%s", failure.text);
	options->path = optind < argc ? argv[optind] : NULL;
	return -1;
}

static int any_of_agent(const struct render_options *options, struct link_peer *peer,
			struct any_document *any, struct failure *failure)
{
	uint8_t hash[LIST_HASH_BYTES];
	struct link *link = NULL;
	bool there = false;
	int error = link_new(peer, &link, failure);

	if (error == 0)
		error = unaware_hash(link, &there, hash, failure);
	if (error == 0)
		error =
		    any_document_agent(link, there ? hash : NULL, &options->trusted, any, failure);
	link_free(link);
	return error;
}

static int run(int argc, char **argv)
{
	struct render_options options = {0};
	struct link_peer peer;
	struct any_document any = {0};
	struct failure failure;
	int error, code = options_read(argc, argv, &options);

	if (code < 0 && options.path == NULL)
		code = target_peer(argv[0], &options.target, NULL, &peer);
	if (code >= 0)
		return code;
	error = options.path != NULL
		    ? any_document_file(options.path, &options.trusted, &any, &failure)
		    : any_of_agent(&options, &peer, &any, &failure);
	if (error == 0 && any.kind != ANY_LIST)
		error = failure_set(&failure, EINVAL, "%s: not a list", any_document_kind(&any));
	if (error == 0)
		error = options.format->print(any.list, stdout, &failure);
	any_document_clear(&any);
	if (error < 0)
		return admin_fail(argv[0], error, &failure);
	if (options.format->caution != NULL)
		screen_say(stderr, "%s: note: %s", argv[0], options.format->caution);
	return ADMIN_DONE;
}

const struct command command_render = {
    .name = "render",
    .run = run,
    .group = GROUP_WATCH,
    .summary = "Write the list as another program's configuration",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
