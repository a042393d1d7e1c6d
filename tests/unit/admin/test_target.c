/* test_target.c - which agent is meant where nobody says it. */
#include <stdio.h>
#include <unistd.h>

#include "admin/target.h"
#include "scratch.h"

static void put(const char *name)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", scratch_directory, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	(void)fclose(file);
}

START_TEST(the_sole_cluster_of_a_host_is_meant)
{
	char cluster[LIST_NAME_MAX + 1];

	ck_assert_uint_eq(target_clusters("/nowhere", cluster), 0);
	ck_assert_uint_eq(target_clusters(scratch_directory, cluster), 0);
	put("web.clients");
	put(".control");
	put("no name.control");
	ck_assert_uint_eq(target_clusters(scratch_directory, cluster), 0);
	put("web.control");
	ck_assert_uint_eq(target_clusters(scratch_directory, cluster), 1);
	ck_assert_str_eq(cluster, "web");
	put("api.control");
	ck_assert_uint_eq(target_clusters(scratch_directory, cluster), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("target");
	TCase *tcase = tcase_create("target");

	tcase_add_checked_fixture(tcase, scratch_setup, scratch_teardown);
	tcase_add_test(tcase, the_sole_cluster_of_a_host_is_meant);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
