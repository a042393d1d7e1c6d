/* test_store_etcd.c - the register in a real etcd: candidates that are stopped and cut off, an etcd
 * that is killed, slow or full, answers that are lost. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etcd_rig.h"
#include "list/document.h"

static void candidates_start(const char *url)
{
	static const char *const names[] = {"web01", "web02", "web03"};

	for (unsigned i = 0; i < RIG_CANDIDATES; i++) {
		rig_open(&rig[i], names[i], url, NULL);
		rig_start(&rig[i], NULL);
	}
}

/* One candidate alone, through a relay. */
static void relayed_start(void)
{
	etcd_start(&rig_etcd, NULL);
	rig_relay = relay_new(&rig_etcd);
	rig_open(&rig[0], "web01", relay_url(rig_relay), NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
}

START_TEST(a_leader_stopped_for_ten_leases_does_not_act_when_it_goes_on)
{
	const struct reg next = rig_reg(9, 9, RIG_LIST, strlen(RIG_LIST));
	struct candidate *first, *second;
	uint64_t began_ms;

	etcd_start(&rig_etcd, NULL);
	candidates_start(rig_etcd.url);
	rig_until(rig_leader() != NULL);
	first = rig_leader();
	ck_assert(!first->has_reg);
	rig_write_whole(first, 1, 1);
	for (unsigned i = 0; i < RIG_CANDIDATES; i++)
		rig_until(strcmp(rig[i].leader, first->config.name) == 0);

	first->stopped = true;
	began_ms = rig_now_ms();
	rig_until(rig_leader() != NULL && rig_leader() != first);
	second = rig_leader();
	ck_assert_uint_eq(second->lists, 1);
	ck_assert_uint_eq(second->list_bytes, strlen(RIG_LIST));
	ck_assert_uint_eq(second->reg.serial, 1);
	rig_write_whole(second, 2, 1);
	while (rig_now_ms() < began_ms + 10 * RIG_LEASE_MS)
		rig_step();

	/* It still believes; the clock says otherwise, before any event has come. */
	ck_assert(first->led && !rig_leads(first));
	ck_assert_int_eq(store_write(first->store, &next, NULL), -EAGAIN);
	first->stopped = false;
	rig_until(first->lost == 1 && rig_leader() != NULL &&
		  strcmp(first->leader, rig_leader()->config.name) == 0);
	ck_assert_uint_eq(etcd_version(&rig_etcd, RIG_REGISTER), 2);
}
END_TEST

START_TEST(a_leader_that_resigns_makes_room_at_once)
{
	struct candidate *first;

	etcd_start(&rig_etcd, NULL);
	candidates_start(rig_etcd.url);
	rig_until(rig_leader() != NULL);
	first = rig_leader();
	store_resign(first->store);
	first->until_ms = 0; /* from the call on */
	rig_until(first->lost == 1);
	ck_assert_str_eq(first->why, "resigned");
	rig_until(rig_leader() != NULL);
	ck_assert(rig_leader() != first);
	rig_until(strcmp(first->leader, rig_leader()->config.name) == 0);
	ck_assert_uint_eq(first->elected, 1);
}
END_TEST

START_TEST(an_etcd_that_was_killed_and_started_again_is_led_from_again)
{
	struct candidate *leader;

	etcd_start(&rig_etcd, NULL);
	candidates_start(rig_etcd.url);
	rig_until(rig_leader() != NULL);
	leader = rig_leader();
	rig_write_whole(leader, 1, 1);
	etcd_kill(&rig_etcd);
	rig_until(leader->lost == 1);
	ck_assert(rig_leader() == NULL);
	for (unsigned i = 0; i < RIG_CANDIDATES; i++)
		rig_until(strstr(rig[i].trouble, rig_etcd.url) != NULL);
	etcd_start(&rig_etcd, NULL);
	rig_until(rig_leader() != NULL);
	leader = rig_leader();
	ck_assert_uint_eq(leader->reg.term, 1);
	ck_assert_uint_ge(leader->lists, 1);
	rig_until(leader->trouble[0] == '\0');
	rig_write_whole(leader, 2, 1);
	ck_assert_uint_eq(etcd_version(&rig_etcd, RIG_REGISTER), 2);
}
END_TEST

START_TEST(a_slow_etcd_is_waited_for_and_a_dead_slow_one_is_not)
{
	relayed_start();
	relay_set(rig_relay, RELAY_PASS, 300);
	rig_run_ms(2 * RIG_LEASE_MS);
	ck_assert(rig_leads(&rig[0]));
	ck_assert_uint_eq(rig[0].lost, 0);
	rig_write_whole(&rig[0], 1, 1);
	relay_set(rig_relay, RELAY_PASS, 4000);
	rig_until(rig[0].lost == 1);
	relay_set(rig_relay, RELAY_PASS, 0);
	rig_until(rig[0].elected == 2);
	ck_assert_uint_eq(rig[0].reg.serial, 1);
}
END_TEST

START_TEST(a_leader_cut_off_stops_before_another_begins)
{
	relayed_start();
	rig_open(&rig[1], "web02", rig_etcd.url, NULL);
	rig_start(&rig[1], NULL);
	rig_until(strcmp(rig[1].leader, "web01") == 0);
	relay_set(rig_relay, RELAY_DEAF, 0);
	rig_until(rig_leads(&rig[1])); /* that never two do is seen to by every step */
	ck_assert_uint_eq(rig[0].lost, 1);
	relay_set(rig_relay, RELAY_PASS, 0);
	rig_until(strcmp(rig[0].leader, "web02") == 0);
}
END_TEST

START_TEST(a_store_whose_answer_is_lost_is_stored_once)
{
	relayed_start();
	relay_set(rig_relay, RELAY_MUTE, 0);
	rig_write(&rig[0], 1, 1, false);
	rig_until(etcd_version(&rig_etcd, RIG_REGISTER) == 1);
	rig_run_ms(200);
	ck_assert_uint_eq(rig[0].stored + rig[0].refused, 0);
	relay_set(rig_relay, RELAY_PASS, 0);
	rig_until(rig[0].stored + rig[0].refused + rig[0].lost > 0);
	ck_assert_uint_eq(rig[0].stored, 1);
	ck_assert_uint_eq(etcd_version(&rig_etcd, RIG_REGISTER), 1);
	rig_write_whole(&rig[0], 1, 2);
	ck_assert_uint_eq(etcd_version(&rig_etcd, RIG_REGISTER), 2);
}
END_TEST

START_TEST(a_register_whose_fate_the_leader_did_not_learn_shows_at_the_next_election)
{
	relayed_start();
	relay_set(rig_relay, RELAY_MUTE, 0);
	rig_write(&rig[0], 1, 1, false);
	rig_until(rig[0].lost == 1);
	ck_assert_uint_eq(rig[0].stored + rig[0].refused, 0);
	relay_set(rig_relay, RELAY_PASS, 0);
	rig_until(rig[0].elected == 2);
	ck_assert(rig[0].has_reg);
	ck_assert_uint_eq(rig[0].reg.serial, 1);
	ck_assert_uint_eq(etcd_version(&rig_etcd, RIG_REGISTER), 1);
}
END_TEST

START_TEST(a_list_of_the_greatest_size_goes_and_comes)
{
	static char list[DOCUMENT_BYTES_MAX];
	struct reg reg;

	for (size_t i = 0; i < sizeof(list); i++)
		list[i] = i % 64 == 63 ? '\n' : (char)('a' + i % 23);
	list[sizeof(list) - 1] = '\n';
	reg = rig_reg(1, 1, list, sizeof(list));
	etcd_start(&rig_etcd, NULL);
	rig_open(&rig[0], "web01", rig_etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	rig_write_list(&rig[0], &reg, list, sizeof(list));
	ck_assert_int_eq(store_write(rig[0].store, &reg, NULL), -EBUSY);
	rig_until(rig[0].stored == 1);
	ck_assert_int_eq(store_write(rig[0].store, &reg, NULL), -ESTALE);
	store_resign(rig[0].store);
	rig_until(rig[0].lost == 1);
	rig_open(&rig[1], "web02", rig_etcd.url, NULL);
	rig_start(&rig[1], NULL);
	rig_until(rig[1].led);
	ck_assert_uint_eq(rig[1].lists, 1);
	ck_assert_uint_eq(rig[1].list_bytes, sizeof(list));
}
END_TEST

/* The key of a list. */
static const char *list_key(const char *list)
{
	const struct reg reg = rig_reg(1, 1, list, strlen(list));

	return rig_key("lists", reg.active);
}

START_TEST(a_list_that_the_register_names_no_longer_is_dropped_with_the_same_step)
{
	static const char next[] = "mcroster-list 1\ncluster web\nepoch 2\n";
	struct reg reg;

	etcd_start(&rig_etcd, NULL);
	rig_open(&rig[0], "web01", rig_etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	rig_write_whole(&rig[0], 1, 1);
	reg = rig_reg(1, 2, RIG_LIST, strlen(RIG_LIST));
	document_hash(next, strlen(next), reg.pending);
	rig_write_list(&rig[0], &reg, next, strlen(next));
	rig_until(rig[0].stored == 2);
	ck_assert_uint_eq(etcd_version(&rig_etcd, list_key(RIG_LIST)), 1);
	ck_assert_uint_eq(etcd_version(&rig_etcd, list_key(next)), 1);
	reg = rig_reg(1, 3, next, strlen(next));
	ck_assert_int_eq(store_write(rig[0].store, &reg, NULL), 0);
	rig_until(rig[0].stored == 3);
	ck_assert_uint_eq(etcd_version(&rig_etcd, list_key(RIG_LIST)), 0);
	ck_assert_uint_eq(etcd_version(&rig_etcd, list_key(next)), 1);
}
END_TEST

START_TEST(a_list_that_the_owner_refuses_elects_nobody)
{
	etcd_start(&rig_etcd, NULL);
	rig_open(&rig[0], "web01", rig_etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	rig_write_whole(&rig[0], 1, 1);
	store_resign(rig[0].store);
	rig_until(rig[0].lost == 1);
	rig_open(&rig[1], "web02", rig_etcd.url, NULL);
	rig[1].list_error = -EKEYREJECTED;
	rig_start(&rig[1], NULL);
	rig_until(strstr(rig[1].trouble, "signed by nobody") != NULL);
	rig_until(rig[1].lists == 3);
	ck_assert_uint_eq(rig[1].elected, 0);
	rig[1].list_error = 0;
	rig_until(rig[1].led);
	ck_assert_str_eq(rig[1].trouble, "");
}
END_TEST

START_TEST(a_list_body_of_another_hash_is_not_shown_to_the_owner)
{
	etcd_start(&rig_etcd, NULL);
	rig_open(&rig[0], "web01", rig_etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	rig_write_whole(&rig[0], 1, 1);
	store_resign(rig[0].store);
	rig_until(rig[0].lost == 1);
	etcd_put(&rig_etcd, list_key(RIG_LIST), "something else\n");
	rig_open(&rig[1], "web02", rig_etcd.url, NULL);
	rig_start(&rig[1], NULL);
	rig_until(rig[1].led);
	ck_assert_uint_eq(rig[1].lists, 0);
}
END_TEST

START_TEST(an_etcd_without_space_refuses_the_store_and_keeps_the_leader)
{
	static const char *const small[] = {"--quota-backend-bytes", "1000000", NULL};
	static char value[60001]; /* base64 of something */
	const char *answer;
	char member[32];
	int status = 200;

	etcd_start(&rig_etcd, small);
	rig_open(&rig[0], "web01", rig_etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	rig_write_whole(&rig[0], 1, 1);
	memset(value, 'A', sizeof(value) - 1);
	/* The space is reckoned up when etcd commits, a few times a second. */
	rig_until((etcd_post(&rig_etcd, "/v3/kv/put", NULL, &status,
			     "{\"key\":\"eA==\",\"value\":\"%s\"}", value),
		   status == 429));
	rig_write(&rig[0], 1, 2, false);
	rig_until(rig[0].refused == 1);
	ck_assert(strstr(rig[0].why, "space exceeded") != NULL);
	ck_assert(rig_leads(&rig[0]));

	answer = etcd_post(&rig_etcd, "/v3/kv/deleterange", NULL, &status, "{\"key\":\"eA==\"}");
	ck_assert_int_eq(status, 200);
	answer = strstr(answer, "\"revision\":\"");
	ck_assert_ptr_nonnull(answer);
	(void)etcd_post(&rig_etcd, "/v3/kv/compaction", NULL, &status,
			"{\"revision\":\"%d\",\"physical\":true}", atoi(answer + 12));
	ck_assert_int_eq(status, 200);
	(void)etcd_post(&rig_etcd, "/v3/maintenance/defragment", NULL, &status, "{}");
	answer = etcd_post(&rig_etcd, "/v3/maintenance/alarm", NULL, NULL, "{\"action\":\"GET\"}");
	answer = strstr(answer, "\"memberID\":\"");
	ck_assert_ptr_nonnull(answer);
	(void)snprintf(member, sizeof(member), "%.*s", (int)strspn(answer + 12, "0123456789"),
		       answer + 12);
	(void)etcd_post(&rig_etcd, "/v3/maintenance/alarm", NULL, &status,
			"{\"action\":\"DEACTIVATE\",\"alarm\":\"NOSPACE\",\"memberID\":\"%s\"}",
			member);
	ck_assert_int_eq(status, 200);
	rig_write(&rig[0], 1, 2, false);
	rig_until(rig[0].stored == 2);
	ck_assert_uint_eq(etcd_version(&rig_etcd, RIG_REGISTER), 2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
	    a_leader_stopped_for_ten_leases_does_not_act_when_it_goes_on,
	    a_leader_that_resigns_makes_room_at_once,
	    an_etcd_that_was_killed_and_started_again_is_led_from_again,
	    a_slow_etcd_is_waited_for_and_a_dead_slow_one_is_not,
	    a_leader_cut_off_stops_before_another_begins,
	    a_store_whose_answer_is_lost_is_stored_once,
	    a_register_whose_fate_the_leader_did_not_learn_shows_at_the_next_election,
	    a_list_of_the_greatest_size_goes_and_comes,
	    a_list_that_the_register_names_no_longer_is_dropped_with_the_same_step,
	    a_list_that_the_owner_refuses_elects_nobody,
	    a_list_body_of_another_hash_is_not_shown_to_the_owner,
	    an_etcd_without_space_refuses_the_store_and_keeps_the_leader,
	};

	return rig_suite("store_etcd", tests, sizeof(tests) / sizeof(*tests), rig_set_up,
			 rig_tear_down);
}
