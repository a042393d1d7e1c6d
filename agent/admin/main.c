/* main.c - mcadmin: the table of subcommands, and nothing else. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "admin/admin.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
    {"keygen", command_keygen, "Make the operator's signing key, or the cluster's pre-shared key"},
    {"hostkey", command_hostkey, "Make an agent's host key"},
    {"init", command_init, "Write the first list of a cluster"},
    {"plan", command_plan, "Compute the next list and say what would move"},
    {"sign", command_sign, "Sign a list, an order or a keys document"},
    {"verify", command_verify, "Check the form and signatures of a list or an order"},
    {"show", command_show, "Show a list, an order or a keys document"},
    {"push", command_push, "Offer a signed document to the cluster and watch the change"},
    {"abort", command_abort, "Undo the change that is under way"},
    {"giveup", command_giveup, "Let the change go on without servers that are dead"},
    {"excuse", command_excuse, "Let the change begin without agents that cannot answer"},
    {"failover", command_failover, "Name another coordinator when the old one is gone"},
    {"keys", command_keys, "Say whose signatures count: new, show and verify"},
    {"status", command_status, "Show what the cluster is doing"},
    {"pace", command_pace, "Change how fast an agent moves keys, also while it does"},
    {"route", command_route, "Show which server owns a key"},
    {"render", command_render, "Write the list as another program's configuration"},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void usage_print(FILE *out)
{
	(void)fprintf(out, "Usage: mcadmin COMMAND [OPTION]...\n\nCommands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		(void)fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].summary);
	(void)fprintf(
	    out,
	    "\n'mcadmin COMMAND --help' says more about each, 'mcadmin --version' the version.\n"
	    "Exit codes: 0 done, 1 failed, 2 usage, 3 refused by a rule, 4 timed out.\n");
}

static int command_run(const struct command *command, int argc, char **argv)
{
	char name[32];
	int code;

	/* getopt_long puts argv[0] before what it complains about. */
	(void)snprintf(name, sizeof(name), "mcadmin %s", command->name);
	argv[0] = name;
	code = command->run(argc, argv);
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == ADMIN_DONE) {
		(void)fprintf(stderr, "%s: standard output: %m\n", name);
		return ADMIN_FAILED;
	}
	return code;
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
		return fflush(stdout) == 0 ? ADMIN_DONE : ADMIN_FAILED;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)puts("mcadmin " MCROSTER_VERSION);
		return fflush(stdout) == 0 ? ADMIN_DONE : ADMIN_FAILED;
	}
	if (sodium_init() < 0) {
		(void)fprintf(stderr, "mcadmin: libsodium cannot start: no source of randomness\n");
		return ADMIN_FAILED;
	}
	/* A peer that goes away is an error to report, not a reason to die. */
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return command_run(&commands[i], argc - 1, argv + 1);
	(void)fprintf(stderr, "mcadmin: there is no command '%s'\n", argv[1]);
	usage_print(stderr);
	return ADMIN_USAGE;
}
