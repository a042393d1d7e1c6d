/* test_mc_tls_none.c - the build without TLS, whichever is being tested: its definitions take the
 * place of the archive's. */
#include "net/mc_tls_none.c"

#include <check.h>
#include <string.h>

#include "net/mc_access.h"

START_TEST(tls_is_refused_with_what_to_do)
{
	struct mc_tls *tls = NULL;
	struct failure failure;

	ck_assert_int_eq(mc_tls_new("/ca.pem", NULL, NULL, &tls, &failure), -ENOTSUP);
	ck_assert_str_eq(failure.text,
			 "this mcrosterd is built without TLS, expected one built by make TLS=1");
	ck_assert_ptr_null(tls);
	mc_tls_free(NULL);
	mc_tls_session_free(NULL);
}
END_TEST

START_TEST(a_server_is_found_by_its_name_or_as_one_of_all)
{
	struct mc_access_named named[] = {{.server = "cache01"}, {.server = "*"}};
	struct mc_access_list list = {named, 2}, none = {NULL, 0}, one = {named, 1};

	ck_assert_ptr_eq(mc_access_find(&list, "cache01"), &named[0].access);
	ck_assert_ptr_eq(mc_access_find(&list, "cache02"), &named[1].access);
	ck_assert_ptr_null(mc_access_find(&one, "cache02"));
	ck_assert_ptr_null(mc_access_find(&none, "cache01"));
	ck_assert_ptr_null(mc_access_find(NULL, "cache01"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mc_tls_none");
	TCase *tcase = tcase_create("none");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, tls_is_refused_with_what_to_do);
	tcase_add_test(tcase, a_server_is_found_by_its_name_or_as_one_of_all);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
