/* test_store_etcd.c - the register in a real etcd: candidates that are stopped and cut off, an etcd
 * that is killed, slow, full, guarded, replaced, or none at all. */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/election.h"
#include "etcd_rig.h"
#include "list/document.h"

#define LIST "mcroster-list 1\ncluster web\nepoch 1\n"

static struct etcd_process etcd, other;
static struct relay *relay;
static struct liar *liar;

static void set_up(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	ck_assert_int_ge(setenv("http_proxy", "http://127.0.0.1:1", 1), 0); /* must not be used */
}

static void tear_down(void)
{
	rig_close_all();
	if (relay != NULL)
		relay_free(relay);
	if (liar != NULL)
		liar_free(liar);
	etcd_remove(&etcd);
	etcd_remove(&other);
}

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
	etcd_start(&etcd, NULL);
	relay = relay_new(&etcd);
	rig_open(&rig[0], "web01", relay_url(relay), NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
}

static void write_begin(struct candidate *c, uint64_t term, uint64_t serial, bool with_list)
{
	const struct reg reg = rig_reg(term, serial, LIST, strlen(LIST));

	ck_assert_int_eq(store_write(c->store, &reg, with_list ? LIST : NULL, strlen(LIST)), 0);
}

static void write_whole(struct candidate *c, uint64_t term, uint64_t serial)
{
	const unsigned before = c->stored;

	write_begin(c, term, serial, true);
	ck_assert_uint_eq(c->stored, before); /* answers come from the loop */
	rig_until(c->stored == before + 1);
}

START_TEST(a_leader_stopped_for_ten_leases_does_not_act_when_it_goes_on)
{
	const struct reg next = rig_reg(9, 9, LIST, strlen(LIST));
	struct candidate *first, *second;
	uint64_t began_ms;

	etcd_start(&etcd, NULL);
	candidates_start(etcd.url);
	rig_until(rig_leader() != NULL);
	first = rig_leader();
	ck_assert(!first->has_reg);
	write_whole(first, 1, 1);
	for (unsigned i = 0; i < RIG_CANDIDATES; i++)
		rig_until(strcmp(rig[i].leader, first->config.name) == 0);

	first->stopped = true;
	began_ms = rig_now_ms();
	rig_until(rig_leader() != NULL && rig_leader() != first);
	second = rig_leader();
	ck_assert_uint_le(rig_now_ms() - began_ms, 2 * RIG_LEASE_MS + 1000);
	ck_assert_uint_eq(second->lists, 1);
	ck_assert_uint_eq(second->list_bytes, strlen(LIST));
	ck_assert_uint_eq(second->reg.serial, 1);
	write_whole(second, 2, 1);
	while (rig_now_ms() < began_ms + 10 * RIG_LEASE_MS)
		rig_step();

	/* It still believes; the clock says otherwise, before any event has come. */
	ck_assert(first->led && !rig_leads(first));
	ck_assert_int_eq(store_write(first->store, &next, NULL, 0), -EAGAIN);
	first->stopped = false;
	rig_until(first->lost == 1 && rig_leader() != NULL &&
		  strcmp(first->leader, rig_leader()->config.name) == 0);
	ck_assert_uint_eq(etcd_version(&etcd, RIG_REGISTER), 2);
}
END_TEST

START_TEST(a_leader_that_resigns_makes_room_at_once)
{
	struct candidate *first;

	etcd_start(&etcd, NULL);
	candidates_start(etcd.url);
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

	etcd_start(&etcd, NULL);
	candidates_start(etcd.url);
	rig_until(rig_leader() != NULL);
	leader = rig_leader();
	write_whole(leader, 1, 1);
	etcd_kill(&etcd);
	rig_until(leader->lost == 1);
	ck_assert(rig_leader() == NULL);
	for (unsigned i = 0; i < RIG_CANDIDATES; i++)
		rig_until(strstr(rig[i].trouble, etcd.url) != NULL);
	etcd_start(&etcd, NULL);
	rig_until(rig_leader() != NULL);
	leader = rig_leader();
	ck_assert_uint_eq(leader->reg.term, 1);
	ck_assert_uint_ge(leader->lists, 1);
	rig_until(leader->trouble[0] == '\0');
	write_whole(leader, 2, 1);
	ck_assert_uint_eq(etcd_version(&etcd, RIG_REGISTER), 2);
}
END_TEST

START_TEST(a_slow_etcd_is_waited_for_and_a_dead_slow_one_is_not)
{
	relayed_start();
	relay_set(relay, RELAY_PASS, 300);
	rig_run_ms(2 * RIG_LEASE_MS);
	ck_assert(rig_leads(&rig[0]));
	ck_assert_uint_eq(rig[0].lost, 0);
	write_whole(&rig[0], 1, 1);
	relay_set(relay, RELAY_PASS, 4000);
	rig_until(rig[0].lost == 1);
	relay_set(relay, RELAY_PASS, 0);
	rig_until(rig[0].elected == 2);
	ck_assert_uint_eq(rig[0].reg.serial, 1);
}
END_TEST

START_TEST(a_leader_cut_off_stops_before_another_begins)
{
	relayed_start();
	rig_open(&rig[1], "web02", etcd.url, NULL);
	rig_start(&rig[1], NULL);
	rig_until(strcmp(rig[1].leader, "web01") == 0);
	relay_set(relay, RELAY_DEAF, 0);
	rig_until(rig_leads(&rig[1])); /* that never two do is seen to by every step */
	ck_assert_uint_eq(rig[0].lost, 1);
	relay_set(relay, RELAY_PASS, 0);
	rig_until(strcmp(rig[0].leader, "web02") == 0);
}
END_TEST

START_TEST(a_store_whose_answer_is_lost_is_stored_once)
{
	relayed_start();
	relay_set(relay, RELAY_MUTE, 0);
	write_begin(&rig[0], 1, 1, false);
	rig_until(etcd_version(&etcd, RIG_REGISTER) == 1);
	rig_run_ms(200);
	ck_assert_uint_eq(rig[0].stored + rig[0].refused, 0);
	relay_set(relay, RELAY_PASS, 0);
	rig_until(rig[0].stored + rig[0].refused + rig[0].lost > 0);
	ck_assert_uint_eq(rig[0].stored, 1);
	ck_assert_uint_eq(etcd_version(&etcd, RIG_REGISTER), 1);
	write_whole(&rig[0], 1, 2);
	ck_assert_uint_eq(etcd_version(&etcd, RIG_REGISTER), 2);
}
END_TEST

START_TEST(a_register_whose_fate_the_leader_did_not_learn_shows_at_the_next_election)
{
	relayed_start();
	relay_set(relay, RELAY_MUTE, 0);
	write_begin(&rig[0], 1, 1, false);
	rig_until(rig[0].lost == 1);
	ck_assert_uint_eq(rig[0].stored + rig[0].refused, 0);
	relay_set(relay, RELAY_PASS, 0);
	rig_until(rig[0].elected == 2);
	ck_assert(rig[0].has_reg);
	ck_assert_uint_eq(rig[0].reg.serial, 1);
	ck_assert_uint_eq(etcd_version(&etcd, RIG_REGISTER), 1);
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
	etcd_start(&etcd, NULL);
	rig_open(&rig[0], "web01", etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	ck_assert_int_eq(store_write(rig[0].store, &reg, list, sizeof(list)), 0);
	ck_assert_int_eq(store_write(rig[0].store, &reg, NULL, 0), -EBUSY);
	rig_until(rig[0].stored == 1);
	ck_assert_int_eq(store_write(rig[0].store, &reg, NULL, 0), -ESTALE);
	store_resign(rig[0].store);
	rig_until(rig[0].lost == 1);
	rig_open(&rig[1], "web02", etcd.url, NULL);
	rig_start(&rig[1], NULL);
	rig_until(rig[1].led);
	ck_assert_uint_eq(rig[1].lists, 1);
	ck_assert_uint_eq(rig[1].list_bytes, sizeof(list));
}
END_TEST

/* The key of a list. */
static const char *list_key(const char *list)
{
	static char key[160];
	const struct reg reg = rig_reg(1, 1, list, strlen(list));
	size_t used = (size_t)snprintf(key, sizeof(key), "/mcroster/web/lists/");

	for (unsigned i = 0; i < LIST_HASH_BYTES; i++)
		used += (size_t)snprintf(key + used, sizeof(key) - used, "%02x", reg.active[i]);
	return key;
}

START_TEST(a_list_that_the_register_names_no_longer_is_dropped_with_the_same_step)
{
	static const char next[] = "mcroster-list 1\ncluster web\nepoch 2\n";
	struct reg reg;

	etcd_start(&etcd, NULL);
	rig_open(&rig[0], "web01", etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	write_whole(&rig[0], 1, 1);
	reg = rig_reg(1, 2, LIST, strlen(LIST));
	document_hash(next, strlen(next), reg.pending);
	ck_assert_int_eq(store_write(rig[0].store, &reg, next, strlen(next)), 0);
	rig_until(rig[0].stored == 2);
	ck_assert_uint_eq(etcd_version(&etcd, list_key(LIST)), 1);
	ck_assert_uint_eq(etcd_version(&etcd, list_key(next)), 1);
	reg = rig_reg(1, 3, next, strlen(next));
	ck_assert_int_eq(store_write(rig[0].store, &reg, NULL, 0), 0);
	rig_until(rig[0].stored == 3);
	ck_assert_uint_eq(etcd_version(&etcd, list_key(LIST)), 0);
	ck_assert_uint_eq(etcd_version(&etcd, list_key(next)), 1);
}
END_TEST

START_TEST(a_list_that_the_owner_refuses_elects_nobody)
{
	etcd_start(&etcd, NULL);
	rig_open(&rig[0], "web01", etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	write_whole(&rig[0], 1, 1);
	store_resign(rig[0].store);
	rig_until(rig[0].lost == 1);
	rig_open(&rig[1], "web02", etcd.url, NULL);
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
	etcd_start(&etcd, NULL);
	rig_open(&rig[0], "web01", etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	write_whole(&rig[0], 1, 1);
	store_resign(rig[0].store);
	rig_until(rig[0].lost == 1);
	etcd_put(&etcd, list_key(LIST), "something else\n");
	rig_open(&rig[1], "web02", etcd.url, NULL);
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

	etcd_start(&etcd, small);
	rig_open(&rig[0], "web01", etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	write_whole(&rig[0], 1, 1);
	memset(value, 'A', sizeof(value) - 1);
	/* The space is reckoned up when etcd commits, a few times a second. */
	rig_until((etcd_post(&etcd, "/v3/kv/put", NULL, &status,
			     "{\"key\":\"eA==\",\"value\":\"%s\"}", value),
		   status == 429));
	write_begin(&rig[0], 1, 2, false);
	rig_until(rig[0].refused == 1);
	ck_assert(strstr(rig[0].why, "space exceeded") != NULL);
	ck_assert(rig_leads(&rig[0]));

	answer = etcd_post(&etcd, "/v3/kv/deleterange", NULL, &status, "{\"key\":\"eA==\"}");
	ck_assert_int_eq(status, 200);
	answer = strstr(answer, "\"revision\":\"");
	ck_assert_ptr_nonnull(answer);
	(void)etcd_post(&etcd, "/v3/kv/compaction", NULL, &status,
			"{\"revision\":\"%d\",\"physical\":true}", atoi(answer + 12));
	ck_assert_int_eq(status, 200);
	(void)etcd_post(&etcd, "/v3/maintenance/defragment", NULL, &status, "{}");
	answer = etcd_post(&etcd, "/v3/maintenance/alarm", NULL, NULL, "{\"action\":\"GET\"}");
	answer = strstr(answer, "\"memberID\":\"");
	ck_assert_ptr_nonnull(answer);
	(void)snprintf(member, sizeof(member), "%.*s", (int)strspn(answer + 12, "0123456789"),
		       answer + 12);
	(void)etcd_post(
	    &etcd, "/v3/maintenance/alarm", NULL, &status,
	    "{\"action\":\"DEACTIVATE\",\"alarm\":\"NOSPACE\",\"memberID\":\"%s\"}", member);
	ck_assert_int_eq(status, 200);
	write_begin(&rig[0], 1, 2, false);
	rig_until(rig[0].stored == 2);
	ck_assert_uint_eq(etcd_version(&etcd, RIG_REGISTER), 2);
}
END_TEST

/* ---- what stands in etcd, and who else is there ---- */

static void nobody_leads(const char *word)
{
	rig_until(strstr(rig[0].trouble, word) != NULL);
	rig_run_ms(RIG_LEASE_MS);
	ck_assert_uint_eq(rig[0].elected, 0);
	ck_assert_uint_eq(etcd_version(&etcd, RIG_LEADER), 0);
}

START_TEST(a_register_that_is_not_fit_elects_nobody_until_it_is)
{
	const struct reg reg = rig_reg(3, 4, LIST, strlen(LIST)), newer = rig_reg(3, 5, LIST, 1);
	char value[REGISTER_VALUE_BYTES];

	etcd_start(&etcd, NULL);
	(void)register_value_write(&reg, "mail", false, value);
	etcd_put(&etcd, RIG_REGISTER, value);
	rig_open(&rig[0], "web01", etcd.url, NULL);
	rig_start(&rig[0], NULL);
	nobody_leads("another cluster's: found 'mail', expected 'web'");

	(void)register_value_write(&reg, "web", false, value);
	value[strlen("mcroster-register ")] = '7';
	etcd_put(&etcd, RIG_REGISTER, value);
	nobody_leads("newer format: found 7");

	etcd_put(&etcd, RIG_REGISTER, "");
	nobody_leads("damaged");

	(void)register_value_write(&newer, "web", true, value);
	etcd_put(&etcd, RIG_REGISTER, value);
	nobody_leads("moved away");

	(void)register_value_write(&reg, "web", false, value);
	etcd_put(&etcd, RIG_REGISTER, value);
	rig_until(rig[0].led);
	ck_assert_str_eq(rig[0].trouble, "");

	/* From here on it has been seen. */
	etcd_delete(&etcd, RIG_REGISTER);
	rig_until(rig[0].lost == 1);
	rig[0].elected = 0;
	nobody_leads("gone where there was one (3.4)");
}
END_TEST

START_TEST(an_etcd_older_than_what_the_host_knows_elects_nobody)
{
	const struct reg reg = rig_reg(3, 4, LIST, strlen(LIST)), known = rig_reg(3, 5, LIST, 1);
	char value[REGISTER_VALUE_BYTES];

	etcd_start(&etcd, NULL);
	rig_open(&rig[0], "web01", etcd.url, NULL);
	rig_start(&rig[0], &known);
	nobody_leads("gone where there was one (3.5)");
	(void)register_value_write(&reg, "web", false, value);
	etcd_put(&etcd, RIG_REGISTER, value);
	nobody_leads("found 3.4, expected at least 3.5");
}
END_TEST

START_TEST(somebody_who_writes_without_leading_ends_the_leadership)
{
	const struct reg reg = rig_reg(5, 5, LIST, strlen(LIST));
	char value[REGISTER_VALUE_BYTES];

	etcd_start(&etcd, NULL);
	rig_open(&rig[0], "web01", etcd.url, NULL);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	(void)register_value_write(&reg, "web", false, value);
	etcd_put(&etcd, RIG_REGISTER, value);
	rig_until(rig[0].lost == 1);
	ck_assert(strstr(rig[0].why, "does not lead") != NULL);
	rig_until(rig[0].led);
	ck_assert_uint_eq(rig[0].reg.term, 5);
	etcd_delete(&etcd, RIG_LEADER);
	rig_until(rig[0].lost == 2);
	ck_assert(strstr(rig[0].why, "leader key") != NULL);
}
END_TEST

START_TEST(the_next_endpoint_is_asked_where_one_is_dead_or_deaf)
{
	char dead[64];

	etcd_start(&etcd, NULL);
	(void)snprintf(dead, sizeof(dead), "http://127.0.0.1:%u", etcd_free_port());
	rig_open(&rig[0], "web01", dead, etcd.url);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	write_whole(&rig[0], 1, 1);

	relay = relay_new(&etcd);
	rig_open(&rig[1], "web02", relay_url(relay), etcd.url);
	rig_start(&rig[1], NULL);
	rig_until(strcmp(rig[1].leader, "web01") == 0);
	store_resign(rig[0].store);
	rig_until(rig[1].led);
	relay_set(relay, RELAY_DEAF, 0);
	rig_run_ms(2 * RIG_LEASE_MS);
	ck_assert(rig_leads(&rig[1]));
	ck_assert_uint_eq(rig[1].lost, 0);
	write_whole(&rig[1], 2, 1);
	ck_assert_uint_eq(etcd_version(&etcd, RIG_REGISTER), 2);
}
END_TEST

START_TEST(endpoints_of_two_etcd_clusters_make_no_two_leaders)
{
	etcd_start(&etcd, NULL);
	etcd_start(&other, NULL);
	rig_open(&rig[0], "web01", etcd.url, other.url);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	etcd_kill(&etcd);
	rig_until(strstr(rig[0].troubles, "found etcd cluster") != NULL);
	rig_until(rig[0].lost == 1);
	rig_run_ms(RIG_LEASE_MS);
	ck_assert_uint_eq(rig[0].elected, 1);
	ck_assert_uint_eq(etcd_version(&other, RIG_LEADER), 0);
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
	    "\"succeeded\":true,\"responses\":[{\"response_range\":{}},{\"response_range\":{\"kvs\":"
	    "[{\"key\":\"eA==\",\"value\":\"eA==\",\"mod_revision\":\"5\"}]}}]}",
	    "HTTP/1.0 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
	    "HTTP/1.0 404 Not Found\r\n\r\nNot Found",
	    "HTTP/1.0 500 No\r\n\r\n{\"error\":\"\x1b[2J\",\"code\":2}",
	};

	memcpy(large, "HTTP/1.0 200 OK\r\n\r\n", 19);
	memset(large + 19, '[', sizeof(large) - 19);
	liar = liar_new();
	rig_open(&rig[0], "web01", liar_url(liar), NULL);
	liar_says(liar, said[0], 0);
	rig_start(&rig[0], NULL);
	for (size_t i = 0; i <= sizeof(said) / sizeof(*said); i++) {
		const bool last = i == sizeof(said) / sizeof(*said);

		rig[0].troubles[0] = '\0';
		liar_says(liar, last ? large : said[i], last ? sizeof(large) : strlen(said[i]));
		rig_until(liar_asked(liar) >= 2);
		ck_assert(rig[0].trouble[0] != '\0');
		ck_assert(strchr(rig[0].trouble, '\x1b') == NULL);
		ck_assert_uint_eq(rig[0].elected, 0);
	}
}
END_TEST

START_TEST(one_endpoint_that_talks_garbage_does_not_stop_the_others)
{
	static const char said[] = "HTTP/1.0 200 OK\r\n\r\n<html>maintenance</html>";

	etcd_start(&etcd, NULL);
	liar = liar_new();
	liar_says(liar, said, strlen(said));
	rig_open(&rig[0], "web01", liar_url(liar), etcd.url);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	ck_assert_uint_ge(liar_asked(liar), 1);
}
END_TEST

/* ---- those who must prove who they are ---- */

static const char *auth(const char *token, int expected, const char *path, const char *body)
{
	int status;
	const char *answer = etcd_post(&etcd, path, token, &status, "%s", body);

	ck_assert_msg(status == expected, "%s: %d: %s", path, status, answer);
	return answer;
}

static void auth_enable(void)
{
	char body[256];

	auth(NULL, 200, "/v3/auth/user/add", "{\"name\":\"root\",\"password\":\"r\"}");
	auth(NULL, 200, "/v3/auth/role/add", "{\"name\":\"root\"}");
	auth(NULL, 200, "/v3/auth/user/grant", "{\"user\":\"root\",\"role\":\"root\"}");
	auth(NULL, 200, "/v3/auth/user/add", "{\"name\":\"mc\",\"password\":\"se\\\"cret\"}");
	auth(NULL, 200, "/v3/auth/role/add", "{\"name\":\"mc\"}");
	(void)snprintf(body, sizeof(body),
		       "{\"name\":\"mc\",\"perm\":{\"permType\":\"READWRITE\",\"key\":\"%s\","
		       "\"range_end\":\"%s\"}}",
		       etcd_base64("/mcroster/web/"), etcd_base64("/mcroster/web0"));
	auth(NULL, 200, "/v3/auth/role/grant", body);
	auth(NULL, 200, "/v3/auth/user/grant", "{\"user\":\"mc\",\"role\":\"mc\"}");
	auth(NULL, 200, "/v3/auth/enable", "{}");
}

static void user_set(struct candidate *c, char *password)
{
	strcpy(c->config.etcd.user, "mc");
	c->config.etcd.password = password;
}

START_TEST(a_user_with_his_password_leads_and_one_without_does_not)
{
	static char right[] = "se\"cret", wrong[] = "guess";
	static const char *const slow[] = {"--bcrypt-cost", "4", NULL};

	etcd_start(&etcd, slow);
	auth_enable();
	rig_open(&rig[1], "web02", etcd.url, NULL);
	rig_start(&rig[1], NULL);
	rig_until(strstr(rig[1].trouble, "user name is empty") != NULL);
	rig_open(&rig[2], "web03", etcd.url, NULL);
	user_set(&rig[2], wrong);
	rig_start(&rig[2], NULL);
	rig_until(strstr(rig[2].trouble, "authentication failed") != NULL);
	ck_assert(strstr(rig[2].trouble, "user mc") != NULL);
	ck_assert(strstr(rig[2].trouble, wrong) == NULL);

	rig_open(&rig[0], "web01", etcd.url, NULL);
	user_set(&rig[0], right);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	write_whole(&rig[0], 1, 1);

	/* The tokens are forgotten: a new one is fetched, and nothing is lost by it. */
	etcd_kill(&etcd);
	etcd_start(&etcd, slow);
	write_begin(&rig[0], 1, 2, false);
	rig_until(rig[0].stored == 2 || rig[0].lost > 0);
	rig_until(rig[0].led);
	ck_assert_uint_eq(rig[1].elected + rig[2].elected, 0);
}
END_TEST

START_TEST(authentication_may_be_switched_on_under_way)
{
	static char right[] = "se\"cret";
	static const char *const slow[] = {"--bcrypt-cost", "4", NULL};

	etcd_start(&etcd, slow);
	rig_open(&rig[0], "web01", etcd.url, NULL);
	user_set(&rig[0], right);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	auth_enable();
	write_whole(&rig[0], 1, 1);
	rig_run_ms(RIG_LEASE_MS);
	ck_assert_uint_eq(rig[0].lost, 0);
}
END_TEST

/* ---- TLS ---- */

static char tls[64], path_buffer[8][128];

static const char *tls_path(const char *name)
{
	static unsigned next;
	char *at = path_buffer[next++ % 8];

	(void)snprintf(at, sizeof(path_buffer[0]), "%s/%s", tls, name);
	return at;
}

static void shell(const char *format, ...)
{
	char command[1024];
	va_list arguments;

	va_start(arguments, format);
	ck_assert_int_lt(vsnprintf(command, sizeof(command), format, arguments),
			 (int)sizeof(command));
	va_end(arguments);
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void authority_make(const char *name)
{
	shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
	      "-subj /CN=%s -keyout %s/%s.key -out %s/%s.pem 2>/dev/null",
	      name, tls, name, tls, name);
}

/* A certificate for 127.0.0.1, of a server or of a client (etcd's gateway is both). */
static void certificate_make(const char *name, const char *authority)
{
	shell("cd %s && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
	      "-subj /CN=%s -keyout %s.key -out %s.csr 2>/dev/null && "
	      "printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth,clientAuth\\n' "
	      ">%s.ext && openssl x509 -req -in %s.csr -CA %s.pem -CAkey %s.key -CAcreateserial "
	      "-days 2 -extfile %s.ext -out %s.pem 2>/dev/null",
	      tls, name, name, name, name, name, authority, authority, name, name);
}

static void tls_set(struct candidate *c, const char *authority, const char *certificate)
{
	(void)snprintf(c->config.etcd.ca, sizeof(c->config.etcd.ca), "%s/%s.pem", tls, authority);
	if (certificate == NULL)
		return;
	(void)snprintf(c->config.etcd.cert, sizeof(c->config.etcd.cert), "%s/%s.pem", tls,
		       certificate);
	(void)snprintf(c->config.etcd.key, sizeof(c->config.etcd.key), "%s/%s.key", tls, certificate);
}

START_TEST(a_client_certificate_opens_the_way_and_a_strange_authority_closes_it)
{
	const char *arguments[] = {"--cert-file",
				   NULL,
				   "--key-file",
				   NULL,
				   "--client-cert-auth",
				   "--trusted-ca-file",
				   NULL,
				   NULL};

	strcpy(tls, "/tmp/mcroster-tls.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(tls));
	authority_make("authority");
	authority_make("stranger");
	certificate_make("server", "authority");
	certificate_make("client", "authority");
	certificate_make("alien", "stranger");
	arguments[1] = tls_path("server.pem");
	arguments[3] = tls_path("server.key");
	arguments[6] = tls_path("authority.pem");
	etcd.tls = true;
	etcd_start(&etcd, arguments);

	rig_open(&rig[0], "web01", etcd.url, NULL);
	tls_set(&rig[0], "stranger", "client");
	rig_start(&rig[0], NULL);
	rig_open(&rig[1], "web02", etcd.url, NULL);
	tls_set(&rig[1], "authority", NULL);
	rig_start(&rig[1], NULL);
	rig_open(&rig[2], "web03", etcd.url, NULL);
	tls_set(&rig[2], "authority", "alien");
	rig_start(&rig[2], NULL);
	for (unsigned i = 0; i < RIG_CANDIDATES; i++)
		rig_until(rig[i].trouble[0] != '\0');
	ck_assert(strstr(rig[0].trouble, "certificate") != NULL);
	rig_run_ms(1000);
	for (unsigned i = 0; i < RIG_CANDIDATES; i++)
		ck_assert_uint_eq(rig[i].elected, 0);
	rig_close_all();

	rig_open(&rig[0], "web01", etcd.url, NULL);
	tls_set(&rig[0], "authority", "client");
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	write_whole(&rig[0], 1, 1);
	/* The same server by a name that is not in its certificate. */
	rig_open(&rig[1], "web02", etcd.url, NULL);
	(void)snprintf(rig[1].config.etcd.endpoints[0], CONFIG_PATH_MAX, "https://127.0.0.2:%u",
		       etcd.port);
	tls_set(&rig[1], "authority", "client");
	rig_start(&rig[1], NULL);
	rig_until(rig[1].trouble[0] != '\0');
	ck_assert_str_eq(rig[1].leader, "");
	shell("rm -rf '%s'", tls);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_etcd");
	TCase *tcase = tcase_create("store_etcd");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_leader_stopped_for_ten_leases_does_not_act_when_it_goes_on);
	tcase_add_test(tcase, a_leader_that_resigns_makes_room_at_once);
	tcase_add_test(tcase, an_etcd_that_was_killed_and_started_again_is_led_from_again);
	tcase_add_test(tcase, a_slow_etcd_is_waited_for_and_a_dead_slow_one_is_not);
	tcase_add_test(tcase, a_leader_cut_off_stops_before_another_begins);
	tcase_add_test(tcase, a_store_whose_answer_is_lost_is_stored_once);
	tcase_add_test(tcase,
		       a_register_whose_fate_the_leader_did_not_learn_shows_at_the_next_election);
	tcase_add_test(tcase, a_list_of_the_greatest_size_goes_and_comes);
	tcase_add_test(tcase,
		       a_list_that_the_register_names_no_longer_is_dropped_with_the_same_step);
	tcase_add_test(tcase, a_list_that_the_owner_refuses_elects_nobody);
	tcase_add_test(tcase, a_list_body_of_another_hash_is_not_shown_to_the_owner);
	tcase_add_test(tcase, an_etcd_without_space_refuses_the_store_and_keeps_the_leader);
	tcase_add_test(tcase, a_register_that_is_not_fit_elects_nobody_until_it_is);
	tcase_add_test(tcase, an_etcd_older_than_what_the_host_knows_elects_nobody);
	tcase_add_test(tcase, somebody_who_writes_without_leading_ends_the_leadership);
	tcase_add_test(tcase, the_next_endpoint_is_asked_where_one_is_dead_or_deaf);
	tcase_add_test(tcase, endpoints_of_two_etcd_clusters_make_no_two_leaders);
	tcase_add_test(tcase, garbage_elects_nobody_and_breaks_nothing);
	tcase_add_test(tcase, one_endpoint_that_talks_garbage_does_not_stop_the_others);
	tcase_add_test(tcase, a_user_with_his_password_leads_and_one_without_does_not);
	tcase_add_test(tcase, authentication_may_be_switched_on_under_way);
	tcase_add_test(tcase, a_client_certificate_opens_the_way_and_a_strange_authority_closes_it);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
