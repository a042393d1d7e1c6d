/* test_store_etcd_stands.c - what stands in etcd and must not be led from, and endpoints that are
 * dead, another cluster's, or none of etcd's. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/register_value.h"
#include "etcd_rig.h"

static void nobody_leads(const char *word)
{
	rig_until(strstr(rig[0].trouble, word) != NULL);
	rig_run_ms(RIG_LEASE_MS / 2); /* it looks three times in that */
	ck_assert_uint_eq(rig[0].elected, 0);
	ck_assert_uint_eq(etcd_version(&rig_etcd, RIG_LEADER), 0);
}

START_TEST(a_register_that_is_not_fit_elects_nobody_until_it_is)
{
	const struct reg reg = rig_reg(3, 4, RIG_LIST, strlen(RIG_LIST)),
			 newer = rig_reg(3, 5, RIG_LIST, 1);
	char value[REGISTER_VALUE_BYTES];

	etcd_start(&rig_etcd, NULL);
	(void)register_value_write(&reg, "mail", false, value);
	etcd_put(&rig_etcd, RIG_REGISTER, value);
	rig_open(&rig[0], "web01", rig_etcd.url, NULL);
	rig_start(&rig[0], NULL);
	nobody_leads("another cluster's: found 'mail', expected 'web'");

	(void)register_value_write(&reg, "web", false, value);
	value[strlen("mcroster-register ")] = '7';
	etcd_put(&rig_etcd, RIG_REGISTER, value);
	nobody_leads("newer format: found 7");

	etcd_put(&rig_etcd, RIG_REGISTER, "");
	nobody_leads("damaged");

	(void)register_value_write(&newer, "web", true, value);
	etcd_put(&rig_etcd, RIG_REGISTER, value);
	nobody_leads("moved away");

	(void)register_value_write(&reg, "web", false, value);
	etcd_put(&rig_etcd, RIG_REGISTER, value);
	rig_until(rig[0].led);
	ck_assert_str_eq(rig[0].trouble, "");

	/* From here on it has been seen. */
	etcd_delete(&rig_etcd, RIG_REGISTER);
	rig_until(rig[0].lost == 1);
	rig[0].elected = 0;
	nobody_leads("gone where there was one (3.4)");
}
END_TEST

START_TEST(an_etcd_older_than_what_the_host_knows_elects_nobody)
{
	const struct reg reg = rig_reg(3, 4, RIG_LIST, strlen(RIG_LIST)),
			 known = rig_reg(3, 5, RIG_LIST, 1);
	char value[REGISTER_VALUE_BYTES];

	etcd_start(&rig_etcd, NULL);
	rig_open(&rig[0], "web01", rig_etcd.url, NULL);
	rig_start(&rig[0], &known);
	nobody_leads("gone where there was one (3.5)");
	(void)register_value_write(&reg, "web", false, value);
	etcd_put(&rig_etcd, RIG_REGISTER, value);
	nobody_leads("found 3.4, expected at least 3.5");
}
END_TEST

START_TEST(somebody_who_writes_without_leading_ends_the_leadership)
{
	const struct reg reg = rig_reg(5, 5, RIG_LIST, strlen(RIG_LIST));
	char value[REGISTER_VALUE_BYTES];

	etcd_start(&rig_etcd, NULL);
	rig_open(&rig[0], "web01", rig_etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	(void)register_value_write(&reg, "web", false, value);
	etcd_put(&rig_etcd, RIG_REGISTER, value);
	rig_until(rig[0].lost == 1);
	ck_assert(strstr(rig[0].why, "does not lead") != NULL);
	rig_until(rig[0].led);
	ck_assert_uint_eq(rig[0].reg.term, 5);
	etcd_delete(&rig_etcd, RIG_LEADER);
	rig_until(rig[0].lost == 2);
	ck_assert(strstr(rig[0].why, "leader key") != NULL);
}
END_TEST

START_TEST(the_next_endpoint_is_asked_where_one_is_dead_or_deaf)
{
	char dead[64];

	etcd_start(&rig_etcd, NULL);
	(void)snprintf(dead, sizeof(dead), "http://127.0.0.1:%u", etcd_free_port());
	rig_open(&rig[0], "web01", dead, rig_etcd.url);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	rig_write_whole(&rig[0], 1, 1);

	rig_relay = relay_new(&rig_etcd);
	rig_open(&rig[1], "web02", relay_url(rig_relay), rig_etcd.url);
	rig_start(&rig[1], NULL);
	rig_until(strcmp(rig[1].leader, "web01") == 0);
	store_resign(rig[0].store);
	rig_until(rig[1].led);
	relay_set(rig_relay, RELAY_DEAF, 0);
	rig_run_ms(2 * RIG_LEASE_MS);
	ck_assert(rig_leads(&rig[1]));
	ck_assert_uint_eq(rig[1].lost, 0);
	rig_write_whole(&rig[1], 2, 1);
	ck_assert_uint_eq(etcd_version(&rig_etcd, RIG_REGISTER), 2);
}
END_TEST

START_TEST(endpoints_of_two_etcd_clusters_make_no_two_leaders)
{
	etcd_start(&rig_etcd, NULL);
	etcd_start(&rig_other, NULL);
	rig_open(&rig[0], "web01", rig_etcd.url, rig_other.url);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	etcd_kill(&rig_etcd);
	rig_until(strstr(rig[0].troubles, "found etcd cluster") != NULL);
	rig_until(rig[0].lost == 1);
	rig_run_ms(RIG_LEASE_MS);
	ck_assert_uint_eq(rig[0].elected, 1);
	ck_assert_uint_eq(etcd_version(&rig_other, RIG_LEADER), 0);
}
END_TEST

START_TEST(garbage_elects_nobody_and_breaks_nothing)
{
	static char large[3u << 20];
	static const char *const said[] = {
	    "",
	    "\r\n\r\n",
	    "SSH-2.0-OpenSSH_9.2\r\n",
	    "HTTP/1.0 200 OK\r\n\r\n",
	    "HTTP/1.0 200 OK\r\n\r\n<html>welcome</html>",
	    "HTTP/1.0 200 OK\r\nContent-Length: 900\r\n\r\n{\"header\":",
	    "HTTP/1.0 200 OK\r\n\r\n[]",
	    "HTTP/1.0 200 OK\r\n\r\n{\"header\":7}",
	    "HTTP/1.0 200 OK\r\n\r\n{\"header\":{\"cluster_id\":\"1\",\"revision\":\"x\"}}",
	    "HTTP/1.0 200 OK\r\n\r\n{\"header\":{\"cluster_id\":\"1\",\"revision\":\"5\"},"
	    "\"succeeded\":true,\"responses\":{}}",
	    "HTTP/1.0 200 OK\r\n\r\n{\"header\":{\"cluster_id\":\"1\",\"revision\":\"5\"},"
	    "\"succeeded\":true,\"responses\":[{\"response_range\":{}},{\"response_range\":{"
	    "\"kvs\":"
	    "[{\"key\":\"eA==\",\"value\":\"eA==\",\"mod_revision\":\"5\"}]}}]}",
	    "HTTP/1.0 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
	    "HTTP/1.0 404 Not Found\r\n\r\nNot Found",
	    "HTTP/1.0 500 No\r\n\r\n{\"error\":\"\x1b[2J\",\"code\":2}",
	};

	memcpy(large, "HTTP/1.0 200 OK\r\n\r\n", 19);
	memset(large + 19, '[', sizeof(large) - 19);
	rig_liar = liar_new();
	rig_open(&rig[0], "web01", liar_url(rig_liar), NULL);
	liar_says(rig_liar, said[0], 0);
	rig_start(&rig[0], NULL);
	for (size_t i = 0; i <= sizeof(said) / sizeof(*said); i++) {
		const bool last = i == sizeof(said) / sizeof(*said);

		rig[0].troubles[0] = '\0';
		liar_says(rig_liar, last ? large : said[i], last ? sizeof(large) : strlen(said[i]));
		rig_until(liar_asked(rig_liar) >= 2);
		ck_assert(rig[0].trouble[0] != '\0');
		ck_assert(strchr(rig[0].trouble, '\x1b') == NULL);
		if (last)
			ck_assert_ptr_nonnull(strstr(rig[0].trouble, "too long"));
		ck_assert_uint_eq(rig[0].elected, 0);
	}
}
END_TEST

START_TEST(one_endpoint_that_talks_garbage_does_not_stop_the_others)
{
	static const char said[] = "HTTP/1.0 200 OK\r\n\r\n<html>maintenance</html>";

	etcd_start(&rig_etcd, NULL);
	rig_liar = liar_new();
	liar_says(rig_liar, said, strlen(said));
	rig_open(&rig[0], "web01", liar_url(rig_liar), rig_etcd.url);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	ck_assert_uint_ge(liar_asked(rig_liar), 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
	    a_register_that_is_not_fit_elects_nobody_until_it_is,
	    an_etcd_older_than_what_the_host_knows_elects_nobody,
	    somebody_who_writes_without_leading_ends_the_leadership,
	    the_next_endpoint_is_asked_where_one_is_dead_or_deaf,
	    endpoints_of_two_etcd_clusters_make_no_two_leaders,
	    garbage_elects_nobody_and_breaks_nothing,
	    one_endpoint_that_talks_garbage_does_not_stop_the_others,
	};

	return rig_suite("store_etcd_stands", tests, sizeof(tests) / sizeof(*tests), rig_set_up,
			 rig_tear_down);
}
