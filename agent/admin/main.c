/* main.c - mcadmin: finds the subcommand and runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "admin/admin.h"

static void usage_print(FILE *out)
{
	static const char *const headings[GROUP_COUNT] = {
	    [GROUP_SETUP] = "Setting up",
	    [GROUP_CHANGE] = "Changing the cluster",
	    [GROUP_WATCH] = "Watching it",
	    [GROUP_ORDER] = "When a change is stuck (signed orders)",
	    [GROUP_DOCUMENT] = "Signed documents",
	};

	(void)fprintf(out, "Usage: mcadmin COMMAND [OPTION]...\n");
	for (int group = GROUP_SETUP; group < GROUP_COUNT; group++) {
		(void)fprintf(out, "\n%s:\n", headings[group]);
		for (size_t i = 0; admin_commands[i] != NULL; i++)
			if ((int)admin_commands[i]->group == group)
				(void)fprintf(out, "  %-10s  %s\n", admin_commands[i]->name,
					      admin_commands[i]->summary);
	}
	(void)fprintf(
	    out,
	    "\n'mcadmin COMMAND --help' says more about each, 'mcadmin --version' the version.\n"
	    "Exit codes: 0 done, 1 failed, 2 usage, 3 refused by a rule, 4 timed out,\n"
	    "130 interrupted.\n");
}

/* What was printed has been taken, or that is said. */
static int output_end(const char *name, int code)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || code != ADMIN_DONE)
		return code;
	(void)fprintf(stderr, "%s: standard output: %m\n", name);
	return ADMIN_FAILED;
}

static int command_run(const struct command *command, int argc, char **argv)
{
	char name[32];

	/* getopt_long puts argv[0] before what it complains about. */
	(void)snprintf(name, sizeof(name), "mcadmin %s", command->name);
	argv[0] = name;
	return output_end(name, command->run(argc, argv));
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage_print(stderr);
		return ADMIN_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		usage_print(stdout);
		return output_end("mcadmin", ADMIN_DONE);
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)puts("mcadmin " MCROSTER_VERSION);
		return output_end("mcadmin", ADMIN_DONE);
	}
	if (sodium_init() < 0) {
		(void)fprintf(stderr, "mcadmin: libsodium cannot start: no source of randomness\n");
		return ADMIN_FAILED;
	}
	/* A peer that goes away is an error to report, not a reason to die. */
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; admin_commands[i] != NULL; i++)
		if (strcmp(argv[1], admin_commands[i]->name) == 0)
			return command_run(admin_commands[i], argc - 1, argv + 1);
	return admin_usage("mcadmin", "there is no command '%s'", argv[1]);
}
