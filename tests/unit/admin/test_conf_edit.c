/* test_conf_edit.c - what is changed in a cluster.conf, and that all the rest stays. */
#include "admin/conf_edit.h"

#include <errno.h>

#include "admin/cluster_conf.h"
#include "admin/conf_write.h"
#include "admin/file.h"
#include "scratch.h"

static const char text[] = "# our cluster\n"
			   "cluster = \"web\" // its name\n"
			   "coordinator = { \"a\", \"b\" }\n"
			   "/* server \"c1\" { } */\n"
			   "agent a { address = \"10.0.0.1:1\" key = 'k' }\n"
			   "# the first one\n"
			   "server \"c1\" { # a memcached\n"
			   "    address = \"10.0.0.1:2\" # eth0\n"
			   "    agent = a # who\n"
			   "} # behind it\n"
			   "\n"
			   "server 'c2' { address = \"10.0.0.1:3\" agent = \"a\" weight = 7 }\n"
			   "# the end\n";

static struct conf_edit *edit;

static void setup(void)
{
	scratch_setup();
	ck_assert_int_eq(conf_edit_new("x.conf", text, &edit, &failure), 0);
}

static void teardown(void)
{
	conf_edit_free(edit);
	scratch_teardown();
}

/* The text with `old` in its only place replaced by `new`. */
static void assert_replaced(const char *old, const char *new)
{
	const char *at = strstr(text, old);
	char wanted[2048];

	ck_assert_ptr_nonnull(at);
	(void)snprintf(wanted, sizeof(wanted), "%.*s%s%s", (int)(at - text), text, new,
		       at + strlen(old));
	ck_assert_str_eq(conf_edit_text(edit), wanted);
}

START_TEST(value_is_replaced_and_its_comment_stays)
{
	ck_assert_int_eq(conf_edit_set(edit, "server", "c1", "address", "10.0.0.9:2", &failure), 0);
	assert_replaced("\"10.0.0.1:2\" # eth0", "\"10.0.0.9:2\" # eth0");
}
END_TEST

START_TEST(value_without_quotes_is_replaced)
{
	ck_assert_int_eq(conf_edit_set(edit, "server", "c2", "weight", "300", &failure), 0);
	assert_replaced("weight = 7", "weight = 300");
}
END_TEST

START_TEST(new_option_comes_behind_the_last_one_and_its_comment)
{
	ck_assert_int_eq(conf_edit_set(edit, "server", "c1", "weight", "300", &failure), 0);
	assert_replaced("agent = a # who\n", "agent = a # who\n    weight = 300\n");
}
END_TEST

START_TEST(new_option_on_a_line_of_several)
{
	ck_assert_int_eq(conf_edit_set(edit, "server", "c2", "label", "x", &failure), 0);
	assert_replaced("weight = 7 }", "weight = 7 label = \"x\" }");
}
END_TEST

START_TEST(option_is_taken_away)
{
	ck_assert_int_eq(conf_edit_unset(edit, "server", "c2", "weight", &failure), 0);
	assert_replaced("weight = 7 }", " }");
	ck_assert_int_eq(conf_edit_unset(edit, "server", "c1", "wipe", &failure), 0);
}
END_TEST

START_TEST(section_is_removed_and_what_is_said_around_it_stays)
{
	ck_assert_int_eq(conf_edit_remove(edit, "server", "c2", &failure), 0);
	assert_replaced("server 'c2' { address = \"10.0.0.1:3\" agent = \"a\" weight = 7 }\n", "");
	ck_assert_int_eq(conf_edit_remove(edit, "server", "c1", &failure), 0);
	ck_assert_ptr_nonnull(strstr(conf_edit_text(edit), "# the first one\n # behind it\n"));
}
END_TEST

START_TEST(section_is_added_behind_the_last_of_its_kind)
{
	ck_assert_int_eq(conf_edit_add(edit, "agent", "b", &failure), 0);
	assert_replaced("key = 'k' }\n", "key = 'k' }\nagent \"b\" {\n}\n");
	ck_assert_int_eq(conf_edit_set(edit, "agent", "b", "address", "10.0.0.2:1", &failure), 0);
	ck_assert_int_eq(conf_edit_set(edit, "agent", "b", "key", "q", &failure), 0);
	assert_replaced("key = 'k' }\n", "key = 'k' }\nagent \"b\" {\n\taddress = \"10.0.0.2:1\"\n"
					 "\tkey = \"q\"\n}\n");
}
END_TEST

START_TEST(section_is_added_to_a_last_line_without_an_end)
{
	conf_edit_free(edit);
	ck_assert_int_eq(conf_edit_new("x", "server \"a\" { agent = b }", &edit, &failure), 0);
	ck_assert_int_eq(conf_edit_add(edit, "server", "c", &failure), 0);
	ck_assert_str_eq(conf_edit_text(edit), "server \"a\" { agent = b }\nserver \"c\" {\n}\n");
}
END_TEST

START_TEST(section_gets_another_name)
{
	ck_assert_int_eq(conf_edit_rename(edit, "server", "c2", "c3", &failure), 0);
	assert_replaced("server 'c2'", "server \"c3\"");
	ck_assert_int_eq(conf_edit_rename(edit, "server", "c3", "c1", &failure), -EEXIST);
	ck_assert_says(failure.text, "x.conf: there is a server \"c1\" already");
}
END_TEST

START_TEST(what_is_not_there_is_named)
{
	ck_assert_int_eq(conf_edit_remove(edit, "server", "c9", &failure), -ENOENT);
	ck_assert_str_eq(failure.text, "x.conf: there is no server \"c9\" { ... }");
	ck_assert_int_eq(conf_edit_set(edit, "agent", "c1", "key", "1", &failure), -ENOENT);
	ck_assert_int_eq(conf_edit_add(edit, "server", "c1", &failure), -EEXIST);
	ck_assert_str_eq(conf_edit_text(edit), text);
}
END_TEST

START_TEST(sample_is_what_is_written_of_its_list)
{
	struct cluster_conf *conf;
	char *sample, *written;
	size_t sample_bytes, written_bytes;
	FILE *out = open_memstream(&written, &written_bytes);

	ck_assert_int_eq(file_read("etc/cluster.conf", 65536, &sample, &sample_bytes, &failure), 0);
	ck_assert_int_eq(cluster_conf_parse("sample", sample, &conf, &failure), 0);
	conf_write(&conf->wanted, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(written, sample);
	cluster_conf_free(conf);
	free(sample);
	free(written);
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
	static const char other[] =
	    "cluster = \"api\"\ncoordinator = { \"b\", \"a\" }\ndistribution = \"ketama\"\n"
	    "lease = 9000\nsteady-lease = 70000\nop-timeout = 2000\nclient-quorum = 5\n"
	    "registration = \"optional\"\nisolation = \"bypass\"\nunaware-clients = \"yes\"\n"
	    "unaware-poll = 40000\nprefix = \"p:\"\n"
	    "agent \"a\" { address = \"10.0.0.1:1\" "
	    "key = \"GxObZ4+OmBgMXSKYCgFZbmEsD0pMX4ykAaurRtKrX1A=\" }\n"
	    "agent \"b\" { address = \"10.0.0.2:1\" "
	    "key = \"h3/kLcHzCnK8Jyj+zaOU5jZ3HfYfYJ0j3VrmYBGH3T8=\" }\n"
	    "server \"s\" { address = \"10.0.0.1:2\" agent = \"b\" weight = 9 label = \"l\" "
	    "wipe = 5 }\n";
	struct cluster_conf *conf, *again;
	char *first, *second;
	size_t bytes;
	FILE *out = open_memstream(&first, &bytes);

	ck_assert_int_eq(cluster_conf_parse("other", other, &conf, &failure), 0);
	conf_write(&conf->wanted, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_msg(cluster_conf_parse("written", first, &again, &failure) == 0, "%s",
		      failure.text);
	ck_assert_str_eq(again->wanted.prefix, "p:");
	ck_assert_uint_eq(again->wanted.unaware_poll_ms, 40000);
	ck_assert_uint_eq(again->wanted.lease_ms, 9000);
	ck_assert_uint_eq(again->wanted.client_quorum, 5);
	ck_assert_uint_eq(again->wanted.coordinator, 1);
	ck_assert_uint_eq(again->wanted.servers[0].weight, 9);
	ck_assert_uint_eq(again->wanted.servers[0].wipe, 5);
	ck_assert_str_eq(again->wanted.servers[0].label, "l");
	out = open_memstream(&second, &bytes);
	conf_write(&again->wanted, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(first, second);
	cluster_conf_free(conf);
	cluster_conf_free(again);
	free(first);
	free(second);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_edit");
	TCase *tcase = tcase_create("conf_edit");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, value_is_replaced_and_its_comment_stays);
	tcase_add_test(tcase, value_without_quotes_is_replaced);
	tcase_add_test(tcase, new_option_comes_behind_the_last_one_and_its_comment);
	tcase_add_test(tcase, new_option_on_a_line_of_several);
	tcase_add_test(tcase, option_is_taken_away);
	tcase_add_test(tcase, section_is_removed_and_what_is_said_around_it_stays);
	tcase_add_test(tcase, section_is_added_behind_the_last_of_its_kind);
	tcase_add_test(tcase, section_is_added_to_a_last_line_without_an_end);
	tcase_add_test(tcase, section_gets_another_name);
	tcase_add_test(tcase, what_is_not_there_is_named);
	tcase_add_test(tcase, sample_is_what_is_written_of_its_list);
	tcase_add_test(tcase, what_is_written_is_read_again);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
