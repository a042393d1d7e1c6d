/* scratch.h - a directory for each test, files in it, and a suite's main. */
#ifndef MCROSTER_TESTS_SCRATCH_H
#define MCROSTER_TESTS_SCRATCH_H

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "list/failure.h"

static char scratch_directory[64];
static struct failure failure;

static inline void scratch_setup(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	memset(&failure, 0, sizeof(failure));
	(void)snprintf(scratch_directory, sizeof(scratch_directory), "/tmp/mcadmin-unit.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch_directory));
}

/* The tests make files only, no directories. */
static inline void scratch_teardown(void)
{
	DIR *directory = opendir(scratch_directory);
	struct dirent *entry;
	char path[512];

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", scratch_directory, entry->d_name);
		(void)unlink(path);
	}
	if (directory != NULL)
		(void)closedir(directory);
	ck_assert_int_eq(rmdir(scratch_directory), 0);
}

/* The path of a file of that name; four may be in use at a time. */
static inline const char *scratch_path(const char *name)
{
	static char paths[4][128];
	static unsigned turn;

	turn = (turn + 1) % 4;
	(void)snprintf(paths[turn], sizeof(paths[turn]), "%s/%s", scratch_directory, name);
	return paths[turn];
}

static inline const char *scratch_file(const char *name, const char *content)
{
	const char *path = scratch_path(name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(content, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	return path;
}

/* How many files are there: temporary ones must not stay. */
static inline unsigned scratch_count(void)
{
	DIR *directory = opendir(scratch_directory);
	struct dirent *entry;
	unsigned count = 0;

	ck_assert_ptr_nonnull(directory);
	while ((entry = readdir(directory)) != NULL)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	(void)closedir(directory);
	return count;
}

#define ck_assert_says(text, part)                                                                 \
	ck_assert_msg(strstr(text, part) != NULL, "`%s` does not say `%s`", text, part)
#define ck_assert_silent(text, part)                                                               \
	ck_assert_msg(strstr(text, part) == NULL, "`%s` says `%s`", text, part)

static inline int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
