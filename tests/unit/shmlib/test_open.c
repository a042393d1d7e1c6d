/* Which files are taken for a segment, by name and by whose they are. */
#include "toy_segment.h"

#include <errno.h>
#include <pwd.h>

static struct toy toy;
static const char *verbatim; /* "/mcroster.toy.<pid>" */
static const char *cluster;  /* "toy.<pid>" */

static void setup(void)
{
	toy_make(&toy, "mcroster.toy");
	toy_publish(&toy, 1, MCR_STEADY);
	verbatim = toy.path + strlen("/dev/shm");
	cluster = toy.path + strlen("/dev/shm/mcroster.");
}

static void teardown(void)
{
	toy_free(&toy);
}

static int try_open(const char *name)
{
	struct mcr *mcr = NULL;
	const int error = mcr_open(name, 0, &mcr);

	ck_assert_int_eq(mcr != NULL, error == MCR_OK);
	mcr_close(mcr);
	return error;
}

START_TEST(opens_by_cluster_and_verbatim)
{
	struct mcr *mcr;
	struct mcr_reader *reader;
	struct mcr_plan plan;

	ck_assert_int_eq(try_open(cluster), MCR_OK);
	ck_assert_int_eq(mcr_open(verbatim, MCR_STRICT, &mcr), MCR_OK);
	ck_assert_int_eq(mcr_reader_new(mcr, &reader), MCR_OK);
	ck_assert_int_eq(mcr_begin(reader, MCR_OP_GET, "k", 1, &plan), MCR_ISOLATED);
	mcr_reader_free(reader);
	mcr_close(mcr);
}
END_TEST

START_TEST(names_that_leave_the_directory_are_refused)
{
	char longest[300];
	struct mcr *mcr;

	ck_assert_int_eq(try_open(""), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(try_open("/"), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(try_open("/."), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(try_open("/.."), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(try_open("/../passwd"), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(try_open("a/b"), MCR_BAD_ARGUMENT);
	memset(longest, 'x', sizeof(longest));
	longest[MCR_NAME_MAX + 1] = '\0';
	ck_assert_int_eq(try_open(longest), MCR_BAD_ARGUMENT);
	longest[MCR_NAME_MAX] = '\0';
	ck_assert_int_eq(try_open(longest), MCR_NO_SEGMENT);
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[256] = '\0';
	ck_assert_int_eq(try_open(longest), MCR_NO_SEGMENT);
	longest[256] = 'x';
	longest[257] = '\0';
	ck_assert_int_eq(try_open(longest), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_open(NULL, 0, &mcr), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_open("x", 0, NULL), MCR_BAD_ARGUMENT);
	ck_assert_int_eq(mcr_open("x", 1u << 31, &mcr), MCR_BAD_ARGUMENT);
}
END_TEST

START_TEST(no_object_of_that_name)
{
	ck_assert_int_eq(try_open("there-is-none-of-this-name"), MCR_NO_SEGMENT);
}
END_TEST

START_TEST(a_symbolic_link_is_not_followed)
{
	char link_path[160];

	(void)snprintf(link_path, sizeof(link_path), "%s.link", toy.path);
	ck_assert_int_eq(symlink(toy.path, link_path), 0);
	ck_assert_int_eq(try_open(link_path + strlen("/dev/shm")), MCR_BAD_MODE);
	ck_assert_int_eq(unlink(link_path), 0);
}
END_TEST

START_TEST(a_fifo_is_refused_and_holds_nobody_up)
{
	ck_assert_int_eq(unlink(toy.path), 0);
	ck_assert_int_eq(mkfifo(toy.path, 0644), 0);
	ck_assert_int_eq(try_open(verbatim), MCR_BAD_MODE);
}
END_TEST

START_TEST(a_directory_is_refused)
{
	ck_assert_int_eq(unlink(toy.path), 0);
	ck_assert_int_eq(mkdir(toy.path, 0755), 0);
	ck_assert_int_eq(try_open(verbatim), MCR_BAD_MODE);
	ck_assert_int_eq(rmdir(toy.path), 0);
}
END_TEST

START_TEST(a_segment_that_others_may_write_is_refused)
{
	ck_assert_int_eq(fchmod(toy.fd, 0664), 0);
	ck_assert_int_eq(try_open(verbatim), MCR_BAD_MODE);
	ck_assert_int_eq(fchmod(toy.fd, 0646), 0);
	ck_assert_int_eq(try_open(verbatim), MCR_BAD_MODE);
	ck_assert_int_eq(fchmod(toy.fd, 0400), 0);
	ck_assert_int_eq(try_open(verbatim), MCR_OK);
}
END_TEST

/* A user that is neither root nor `mcroster`. */
static uid_t stranger(void)
{
	const struct passwd *agent = getpwnam("mcroster");

	return agent != NULL && agent->pw_uid == 54321 ? 54322 : 54321;
}

START_TEST(a_segment_of_another_user_is_refused)
{
	const struct passwd *agent = getpwnam("mcroster");

	ck_assert_int_eq(fchown(toy.fd, stranger(), (gid_t)-1), 0);
	ck_assert_int_eq(try_open(verbatim), MCR_BAD_OWNER);
	if (agent != NULL) {
		ck_assert_int_eq(fchown(toy.fd, agent->pw_uid, (gid_t)-1), 0);
		ck_assert_int_eq(try_open(verbatim), MCR_OK);
	}
	/* The caller's own, and root's, seen by somebody who is not root. */
	ck_assert_int_eq(fchown(toy.fd, stranger(), (gid_t)-1), 0);
	ck_assert_int_eq(seteuid(stranger()), 0);
	ck_assert_int_eq(try_open(verbatim), MCR_OK);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(fchown(toy.fd, 0, (gid_t)-1), 0);
	ck_assert_int_eq(seteuid(stranger()), 0);
	ck_assert_int_eq(try_open(verbatim), MCR_OK);
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(what_may_not_be_read_is_the_systems_refusal)
{
	ck_assert_int_eq(fchmod(toy.fd, 0600), 0);
	ck_assert_int_eq(seteuid(stranger()), 0);
	ck_assert_int_eq(try_open(verbatim), MCR_SYSTEM);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shmlib/open");
	TCase *tests = tcase_create("open");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, opens_by_cluster_and_verbatim);
	tcase_add_test(tests, names_that_leave_the_directory_are_refused);
	tcase_add_test(tests, no_object_of_that_name);
	tcase_add_test(tests, a_symbolic_link_is_not_followed);
	tcase_add_test(tests, a_fifo_is_refused_and_holds_nobody_up);
	tcase_add_test(tests, a_directory_is_refused);
	tcase_add_test(tests, a_segment_that_others_may_write_is_refused);
	tcase_add_test(tests, a_segment_that_others_may_write_is_refused);
	if (geteuid() == 0) {
		tcase_add_test(tests, a_segment_of_another_user_is_refused);
		tcase_add_test(tests, what_may_not_be_read_is_the_systems_refusal);
	} else {
		(void)fprintf(stderr, "shmlib/open: two tests of other users' files need root\n");
	}
	return toy_run(suite);
}
