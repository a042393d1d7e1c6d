/* admin.h - what every mcadmin subcommand shares: its exit codes, its way to complain, the table.
 *
 * A command is `int command_x(int argc, char **argv)`; argv[0] is "mcadmin x" and serves as the
 * prefix of what it says on stderr.  It returns its exit code.  One thread, one command a process.
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

int command_keygen(int argc, char **argv);
int command_hostkey(int argc, char **argv);
int command_init(int argc, char **argv);
int command_plan(int argc, char **argv);
int command_sign(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_show(int argc, char **argv);
int command_push(int argc, char **argv);
int command_abort(int argc, char **argv);
int command_giveup(int argc, char **argv);
int command_excuse(int argc, char **argv);
int command_failover(int argc, char **argv);
int command_keys(int argc, char **argv);
int command_status(int argc, char **argv);
int command_pace(int argc, char **argv);
int command_route(int argc, char **argv);
int command_render(int argc, char **argv);

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
