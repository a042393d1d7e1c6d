/* admin.h - what every mcadmin subcommand shares: its exit codes, its way to complain, the table.
 *
 * A command is a `struct command`; its `run` gets "mcadmin x" as argv[0], which serves as the
 * prefix of what it says on stderr, and returns its exit code.  One thread, one command a process.
 */
#ifndef MCROSTER_ADMIN_H
#define MCROSTER_ADMIN_H

#include "list/failure.h"

enum admin_exit {
	ADMIN_DONE = 0,
	ADMIN_FAILED = 1,    /* it could not be done: a file, the network, memory */
	ADMIN_USAGE = 2,     /* the command line is wrong */
	ADMIN_REFUSED = 3,   /* a rule forbids it */
	ADMIN_TIMED_OUT = 4, /* it goes on, but we stopped waiting */
	ADMIN_INTERRUPTED = 130
};

/* Under which heading `mcadmin --help` has it. */
enum command_group {
	GROUP_NONE,
	GROUP_SETUP,
	GROUP_CHANGE,
	GROUP_WATCH,
	GROUP_ORDER,
	GROUP_DOCUMENT,
	GROUP_COUNT
};

struct option; /* of getopt_long */

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	enum command_group group;
	const char *summary, *usage; /* usage: all of --help */
	const struct option *options;
	/* What its arguments are, for completion: "FILE", words with blanks between them, or NULL:
	 * nothing that can be known. */
	const char *arguments;
	const struct command *const *inner; /* its own subcommands, NULL behind the last; or NULL */
};

/* In the order of --help; NULL behind the last. */
extern const struct command *const admin_commands[];

extern const struct command command_keygen, command_hostkey, command_init, command_plan,
    command_sign, command_verify, command_show, command_push, command_abort, command_giveup,
    command_excuse, command_failover, command_keys, command_status, command_pace, command_route,
    command_completion, command_apply, command_add, command_remove, command_weight, command_replace,
    command_top, command_passphrase, command_clients, command_doctor, command_diff,
    command_render;

/* Prints "<command>: <sentence>" to stderr and returns the exit code for a negative errno: a rule's
 * (-EBADMSG, -EINVAL, -EKEYREJECTED, -ESTALE, -EEXIST, -EMSGSIZE, -EPERM) is ADMIN_REFUSED,
 * -ETIMEDOUT is ADMIN_TIMED_OUT, -EINTR is ADMIN_INTERRUPTED, all others are ADMIN_FAILED. */
int admin_fail(const char *command, int error, const struct failure *failure);

/* Prints what is wrong with the command line and where help is; returns ADMIN_USAGE. */
int admin_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints nothing but where help is (getopt_long has said the rest); returns ADMIN_USAGE. */
int admin_usage_hint(const char *command);

/* Prints the help text to stdout; returns ADMIN_DONE. */
int admin_help(const char *usage);

#endif
