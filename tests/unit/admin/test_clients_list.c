/* test_clients_list.c - client processes as an agent lists them. */
#include "admin/clients_list.h"

#include <errno.h>
#include <unistd.h>

#include "scratch.h"

static struct status *status;
static struct clients_list list;

static int take(const char *body)
{
	ck_assert_int_eq(status_parse(body, strlen(body), &status, &failure), 0);
	return clients_list_make(status, &list, &failure);
}

static void teardown(void)
{
	clients_list_clear(&list);
	status_free(status);
	status = NULL;
	scratch_teardown();
}

START_TEST(processes_are_listed)
{
	char body[256];

	(void)snprintf(body, sizeof(body),
		       "client %d uid=7 standing=silent generation=4 age-ms=50 reason=0 later=x\n"
		       "client 0 uid=8 standing=refused generation=0 age-ms=1 reason=3\n"
		       "clients-listed 2\nclients-left-out 5\n",
		       (int)getpid());
	ck_assert_int_eq(take(body), 0);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_uint_eq(list.left_out, 5);
	ck_assert_uint_eq(list.process[0].pid, (uint64_t)getpid());
	ck_assert_uint_eq(list.process[0].uid, 7);
	ck_assert_uint_eq(list.process[0].generation, 4);
	ck_assert_str_eq(list.process[0].standing, "silent");
	ck_assert_says(list.process[0].command, "test_clients_list");
	ck_assert_str_eq(list.process[1].command, "");
	ck_assert_uint_eq(list.process[1].reason, 3);
}
END_TEST

START_TEST(older_agent_is_told_from_one_without_clients)
{
	ck_assert_int_eq(take("agent a1\nversion 0.0.9\n"), -ENOTSUP);
	ck_assert_says(failure.text, "agent a1, version 0.0.9, does not list its clients");
	status_free(status);
	ck_assert_int_eq(take("clients-listed 0\nclients-left-out 0\n"), 0);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(nonsense_is_refused)
{
	static const char *const bodies[] = {
	    "client x\nclients-listed 1\n",
	    "client -1 uid=1\nclients-listed 1\n",
	    "client 1 uid=x\nclients-listed 1\n",
	    "client 99999999999 uid=1\nclients-listed 1\n",
	};

	ck_assert_int_eq(take(bodies[_i]), -EBADMSG);
}
END_TEST

START_TEST(who_is_behind)
{
	struct clients_process process = {.standing = "adopted"};

	ck_assert(!clients_process_behind(&process));
	strcpy(process.standing, "idle");
	ck_assert(!clients_process_behind(&process));
	strcpy(process.standing, "silent");
	ck_assert(clients_process_behind(&process));
}
END_TEST

START_TEST(command_line_is_words_and_nothing_that_steers_a_terminal)
{
	char command[CLIENTS_COMMAND_BYTES], path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/cmdline", scratch_directory);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite("php\0-f\0\033[2J\0", 1, 12, file), 12);
	(void)fclose(file);
	clients_command_read(path, command);
	ck_assert_str_eq(command, "php -f ?[2J");
	clients_command_read("/nowhere", command);
	ck_assert_str_eq(command, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clients_list");
	TCase *tcase = tcase_create("clients_list");

	tcase_add_checked_fixture(tcase, scratch_setup, teardown);
	tcase_add_test(tcase, processes_are_listed);
	tcase_add_test(tcase, older_agent_is_told_from_one_without_clients);
	tcase_add_loop_test(tcase, nonsense_is_refused, 0, 4);
	tcase_add_test(tcase, who_is_behind);
	tcase_add_test(tcase, command_line_is_words_and_nothing_that_steers_a_terminal);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
