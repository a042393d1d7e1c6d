/* command_run.h - runs a command of mcadmin in this process, in the scratch directory. */
#ifndef MCROSTER_TESTS_COMMAND_RUN_H
#define MCROSTER_TESTS_COMMAND_RUN_H

#include <check.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/admin.h"

static char out[8192], err[2048]; /* what the last one has said */

static inline void text_read(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t got;

	ck_assert_ptr_nonnull(file);
	got = fread(text, 1, size - 1, file);
	text[got] = '\0';
	(void)fclose(file);
}

static inline void descriptor_point(int fd, const char *path, int flags)
{
	int made = open(path, flags, 0600);

	ck_assert_int_ge(made, 0);
	ck_assert_int_eq(dup2(made, fd), fd);
	(void)close(made);
}

/* A terminal at which `typed` is typed, as standard input; NULL: none. */
static inline void stdin_point(const char *typed)
{
	int leader;

	(void)fflush(stdin);
	if (typed == NULL) {
		descriptor_point(0, "/dev/null", O_RDONLY);
		return;
	}
	leader = posix_openpt(O_RDWR | O_NOCTTY); /* stays open: closing it would hang up */
	ck_assert_int_ge(leader, 0);
	ck_assert_int_eq(grantpt(leader), 0);
	ck_assert_int_eq(unlockpt(leader), 0);
	descriptor_point(0, ptsname(leader), O_RDONLY | O_NOCTTY);
	ck_assert_int_eq(write(leader, typed, strlen(typed)), (ssize_t)strlen(typed));
}

/* Runs a command with what it reads and says in files; the words are split at blanks. */
static inline int run_typed(const struct command *command, const char *words,
			    const char *typed)
{
	char *argv[32] = {0}, *text = strdup(words), *rest = text, *word;
	int argc = 0, code, saved[2] = {dup(1), dup(2)};

	while ((word = strsep(&rest, " ")) != NULL && argc < 31)
		argv[argc++] = word;
	(void)fflush(stdout);
	(void)fflush(stderr);
	stdin_point(typed);
	descriptor_point(1, "out", O_WRONLY | O_CREAT | O_TRUNC);
	descriptor_point(2, "err", O_WRONLY | O_CREAT | O_TRUNC);
	code = command->run(argc, argv);
	(void)fflush(stdout);
	(void)fflush(stderr);
	(void)dup2(saved[0], 1);
	(void)dup2(saved[1], 2);
	(void)close(saved[0]);
	(void)close(saved[1]);
	free(text);
	text_read("out", out, sizeof(out));
	text_read("err", err, sizeof(err));
	return code;
}

static inline int run(const struct command *command, const char *words)
{
	return run_typed(command, words, NULL);
}

#define assert_code(found, wanted)                                                                 \
	do {                                                                                       \
		const int code_ = (found);                                                         \
		ck_assert_msg(code_ == (wanted), "exit code %d, expected %d: %s%s", code_,         \
			      (wanted), out, err);                                                 \
	} while (0)

#endif
