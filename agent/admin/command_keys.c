/* command_keys.c - mcadmin keys: the table of its subcommands. */
#include "admin/command_keys.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "Usage: mcadmin keys new -p PUBLIC... -t THRESHOLD\n"
    "                        [--parent KEYS | --first CLUSTER | --agent ...] -o KEYS\n"
    "                        [--json]\n"
    "       mcadmin keys show [--json | --raw] [KEYS | --agent ...]\n"
    "       mcadmin keys verify -p PUBLIC... [-t N] [--cluster NAME] [--json] KEYS...\n"
    "       mcadmin keys verify --parent KEYS [--json] KEYS...\n"
    "\n"
    "A keys document says whose signatures count, so that operators' keys change\n"
    "without touching any agent.conf.  Version N+1 is signed by the threshold of\n"
    "version N and by its own; version 1 by that of the agents' trusted-keys.\n"
    "'mcadmin keys COMMAND --help' says more about each.\n"
    "\n"
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const struct command *const inner[] = {&command_keys_new, &command_keys_show,
					      &command_keys_verify, NULL};

static int run(int argc, char **argv)
{
	char name[48];

	if (argc < 2)
		return admin_usage(argv[0], "new, show or verify is wanted");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return admin_help(usage);
	for (size_t i = 0; inner[i] != NULL; i++) {
		if (strcmp(argv[1], inner[i]->name) != 0)
			continue;
		(void)snprintf(name, sizeof(name), "%s %s", argv[0], argv[1]);
		argv[1] = name;
		return inner[i]->run(argc - 1, argv + 1);
	}
	if (argv[1][0] == '-')
		return admin_usage(argv[0], "unrecognized option '%s'", argv[1]);
	return admin_usage(argv[0], "there is no '%s', new, show or verify is wanted", argv[1]);
}

const struct command command_keys = {
    .name = "keys",
    .run = run,
    .group = GROUP_DOCUMENT,
    .summary = "Say whose signatures count: new, show and verify",
    .usage = usage,
    .options = option_table,
    .inner = inner,
};
