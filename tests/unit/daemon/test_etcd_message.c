/* test_etcd_message.c - etcd's JSON: requests as documented, answers believed only when every field
 * that counts is what it must be. */
#include "daemon/etcd_message.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define HEADER                                                                                     \
	"\"header\":{\"cluster_id\":\"14841639068965178418\",\"member_id\":\"1\","                 \
	"\"revision\":\"42\",\"raft_term\":\"2\"}"
#define LEADER_KEY   "L21jcm9zdGVyL3dlYi9sZWFkZXI="
#define REGISTER_KEY "L21jcm9zdGVyL3dlYi9yZWdpc3Rlcg=="
#define LEADER_KV                                                                                  \
	"{\"key\":\"" LEADER_KEY "\",\"create_revision\":\"7\",\"mod_revision\":\"7\","            \
	"\"version\":\"1\",\"value\":\"d2ViMDE=\",\"lease\":\"7587862072908384003\"}"
#define REGISTER_KV                                                                                \
	"{\"key\":\"" REGISTER_KEY "\",\"create_revision\":\"3\",\"mod_revision\":\"9\","          \
	"\"version\":\"4\",\"value\":\"aGVsbG8=\"}"
#define RANGE(kv) "{\"response_range\":{\"header\":{},\"kvs\":[" kv "],\"count\":\"1\"}}"
#define NOTHING	  "{\"response_range\":{\"header\":{\"revision\":\"42\"}}}"
#define READ_BOTH                                                                                  \
	"{" HEADER                                                                                 \
	",\"succeeded\":true,\"responses\":[" RANGE(LEADER_KV) "," RANGE(REGISTER_KV) "]}"

static struct etcd_keys keys;
static uint8_t hash[LIST_HASH_BYTES], old_hash[LIST_HASH_BYTES];
static struct etcd_answer got;

static void set_up(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	etcd_keys_make(&keys, "web");
	memset(hash, 0xab, sizeof(hash));
	memset(old_hash, 0xcd, sizeof(old_hash));
}

static struct election_action action_of(enum election_request request)
{
	struct election_action action = {
	    .request = request,
	    .lease = 7587862072908384003u,
	    .ttl_s = 5,
	    .leader_revision = 7,
	    .register_revision = 9,
	    .hash = hash,
	    .value = "hello",
	    .drop_count = 1,
	    .drop = {old_hash},
	};

	return action;
}

static enum election_outcome read_bytes(enum election_request request, long status,
					const char *text, size_t length)
{
	const struct election_action action = action_of(request);
	/* Of exactly this length, so that a sanitizer sees a byte too many. */
	char *exact = malloc(length > 0 ? length : 1);

	memcpy(exact, text, length);
	etcd_answer_free(&got);
	etcd_answer_read(&keys, &action, "http://e:1", status, exact, length, &got);
	free(exact);
	ck_assert_int_eq(got.reply.request, request);
	ck_assert_ptr_nonnull(got.reply.why);
	return got.reply.outcome;
}

static enum election_outcome read_text(enum election_request request, long status, const char *text)
{
	return read_bytes(request, status, text, strlen(text));
}

static void tear_down(void)
{
	etcd_answer_free(&got);
}

START_TEST(requests_are_as_documented)
{
	static const struct {
		enum election_request request;
		const char *path, *body;
	} all[] = {
	    {ELECTION_GRANT, "/v3/lease/grant", "{\"TTL\":\"5\"}"},
	    {ELECTION_KEEPALIVE, "/v3/lease/keepalive", "{\"ID\":\"7587862072908384003\"}"},
	    {ELECTION_REVOKE, "/v3/lease/revoke", "{\"ID\":\"7587862072908384003\"}"},
	    {ELECTION_READ, "/v3/kv/txn",
	     "{\"compare\":[],\"success\":[{\"request_range\":{\"key\":\"" LEADER_KEY "\"}},"
	     "{\"request_range\":{\"key\":\"" REGISTER_KEY "\"}}],\"failure\":[]}"},
	    {ELECTION_CAMPAIGN, "/v3/kv/txn",
	     "{\"compare\":[{\"key\":\"" LEADER_KEY "\",\"target\":\"CREATE\",\"result\":\"EQUAL\","
	     "\"create_revision\":\"0\"}],\"success\":[{\"request_put\":{\"key\":\"" LEADER_KEY
	     "\",\"value\":\"d2ViMDE=\",\"lease\":\"7587862072908384003\"}},{\"request_range\":"
	     "{\"key\":\"" REGISTER_KEY
	     "\"}}],\"failure\":[{\"request_range\":{\"key\":\"" LEADER_KEY
	     "\"}},{\"request_range\":{\"key\":\"" REGISTER_KEY "\"}}]}"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const struct election_action action = action_of(all[i].request);
		const char *path;
		char *body;

		ck_assert_int_eq(etcd_request_write(&keys, &action, "web01", NULL, 0, &path, &body),
				 0);
		ck_assert_str_eq(path, all[i].path);
		ck_assert_str_eq(body, all[i].body);
		free(body);
	}
}
END_TEST

START_TEST(a_store_demands_both_revisions_and_drops_with_the_same_step)
{
	const struct election_action action = action_of(ELECTION_STORE);
	char list[ETCD_BODY_KEY_BYTES], base64[512];
	const char *path;
	char *body;

	ck_assert_int_eq(etcd_request_write(&keys, &action, "web01", NULL, 0, &path, &body), 0);
	ck_assert_ptr_nonnull(strstr(body, "\"target\":\"CREATE\",\"result\":\"EQUAL\","
					   "\"create_revision\":\"7\""));
	ck_assert_ptr_nonnull(
	    strstr(body, "\"target\":\"MOD\",\"result\":\"EQUAL\",\"mod_revision\":\"9\""));
	etcd_body_key(&keys, ELECTION_STORE, old_hash, list);
	ck_assert_str_eq(list + strlen(list) - 4, "cdcd");
	sodium_bin2base64(base64, sizeof(base64), (const uint8_t *)list, strlen(list),
			  sodium_base64_VARIANT_ORIGINAL);
	ck_assert_ptr_nonnull(strstr(body, "request_delete_range"));
	ck_assert_ptr_nonnull(strstr(body, base64));
	free(body);
}
END_TEST

START_TEST(keys_stand_beside_the_lists_and_are_asked_for_alike)
{
	struct election_action action = action_of(ELECTION_KEYS_PUT);
	char key[ETCD_BODY_KEY_BYTES], base64[512];
	const char *path;
	char *body;

	etcd_body_key(&keys, ELECTION_KEYS_GET, hash, key);
	ck_assert_ptr_eq(strstr(key, "/mcroster/web/keys/abab"), key);
	sodium_bin2base64(base64, sizeof(base64), (const uint8_t *)key, strlen(key),
			  sodium_base64_VARIANT_ORIGINAL);
	ck_assert_int_eq(etcd_request_write(&keys, &action, "web01", "body", 4, &path, &body), 0);
	ck_assert_str_eq(path, "/v3/kv/txn");
	ck_assert_ptr_nonnull(strstr(body, "\"create_revision\":\"7\""));
	ck_assert_ptr_nonnull(strstr(body, base64));
	ck_assert_ptr_nonnull(strstr(body, "\"Ym9keQ==\""));
	ck_assert_ptr_null(strstr(body, "request_delete_range"));
	free(body);
	action = action_of(ELECTION_KEYS_GET);
	ck_assert_int_eq(etcd_request_write(&keys, &action, "web01", NULL, 0, &path, &body), 0);
	ck_assert_str_eq(path, "/v3/kv/range");
	ck_assert_ptr_nonnull(strstr(body, base64));
	free(body);

	ck_assert_int_eq(read_text(ELECTION_KEYS_GET, 200, "{" HEADER "}"), ELECTION_DONE);
	ck_assert_ptr_null(got.document);
	ck_assert_int_eq(read_text(ELECTION_KEYS_PUT, 200,
				   "{" HEADER ",\"succeeded\":true,\"responses\":["
				   "{\"response_put\":{}}]}"),
			 ELECTION_DONE);
	ck_assert(got.reply.succeeded);
	ck_assert_int_eq(
	    read_text(ELECTION_KEYS_PUT, 200, "{" HEADER ",\"responses\":[" RANGE(LEADER_KV) "]}"),
	    ELECTION_DONE);
	ck_assert(!got.reply.succeeded && got.reply.leader.held);
}
END_TEST

START_TEST(what_etcd_answers_is_read)
{
	ck_assert_int_eq(read_text(ELECTION_READ, 200, READ_BOTH), ELECTION_DONE);
	ck_assert_uint_eq(got.cluster_id, 14841639068965178418u);
	ck_assert_uint_eq(got.reply.revision, 42);
	ck_assert(got.reply.leader.held && got.reply.reg.held);
	ck_assert_uint_eq(got.reply.leader.create_revision, 7);
	ck_assert_uint_eq(got.reply.leader.lease, 7587862072908384003u);
	ck_assert_uint_eq(got.reply.leader.bytes, 5);
	ck_assert_mem_eq(got.reply.leader.value, "web01", 5);
	ck_assert_uint_eq(got.reply.reg.mod_revision, 9);
	ck_assert_uint_eq(got.reply.reg.lease, 0);

	ck_assert_int_eq(read_text(ELECTION_READ, 200,
				   "{" HEADER ",\"succeeded\":true,\"responses\":[" NOTHING
				   "," NOTHING "]}"),
			 ELECTION_DONE);
	ck_assert(!got.reply.leader.held && !got.reply.reg.held);

	ck_assert_int_eq(read_text(ELECTION_CAMPAIGN, 200,
				   "{" HEADER ",\"responses\":[" RANGE(LEADER_KV) "," NOTHING "]}"),
			 ELECTION_DONE);
	ck_assert(!got.reply.succeeded && got.reply.leader.held);
	ck_assert_int_eq(read_text(ELECTION_CAMPAIGN, 200,
				   "{" HEADER ",\"succeeded\":true,\"responses\":["
				   "{\"response_put\":{}}," RANGE(REGISTER_KV) "]}"),
			 ELECTION_DONE);
	ck_assert(got.reply.succeeded && got.reply.reg.held);
	ck_assert_int_eq(read_text(ELECTION_STORE, 200,
				   "{" HEADER ",\"succeeded\":true,\"responses\":["
				   "{\"response_put\":{}},{\"response_delete_range\":{}}]}"),
			 ELECTION_DONE);
	ck_assert(got.reply.succeeded);

	ck_assert_int_eq(read_text(ELECTION_GRANT, 200, "{" HEADER ",\"ID\":\"77\",\"TTL\":\"5\"}"),
			 ELECTION_DONE);
	ck_assert_uint_eq(got.reply.lease, 77);
	ck_assert_uint_eq(got.reply.ttl_s, 5);
	/* A lease that is gone is answered like one that lives, without its time. */
	ck_assert_int_eq(read_text(ELECTION_KEEPALIVE, 200,
				   "{\"result\":{" HEADER ",\"ID\":\"7587862072908384003\"}}\n"),
			 ELECTION_DONE);
	ck_assert_uint_eq(got.reply.ttl_s, 0);
	ck_assert_int_eq(read_text(ELECTION_REVOKE, 200, "{" HEADER "}"), ELECTION_DONE);
	ck_assert_int_eq(read_text(ELECTION_LIST_GET, 200, "{" HEADER "}"), ELECTION_DONE);
	ck_assert_ptr_null(got.document);
}
END_TEST

START_TEST(an_answer_with_a_wrong_field_leaves_the_outcome_unknown)
{
	static const struct {
		enum election_request request;
		const char *text;
	} bad[] = {
	    {ELECTION_READ, ""},
	    {ELECTION_READ, "null"},
	    {ELECTION_READ, "{}"},
	    {ELECTION_READ, "[" READ_BOTH "]"},
	    {ELECTION_READ, READ_BOTH "x"},
	    {ELECTION_READ,
	     "{\"header\":{\"revision\":\"1\"},\"succeeded\":true,\"responses\":[" NOTHING
	     "," NOTHING "]}"},
	    {ELECTION_READ,
	     "{" HEADER "," HEADER ",\"succeeded\":true,\"responses\":[" NOTHING "," NOTHING "]}"},
	    {ELECTION_READ, "{" HEADER ",\"responses\":[" NOTHING "," NOTHING "]}"},
	    {ELECTION_READ,
	     "{" HEADER ",\"succeeded\":\"true\",\"responses\":[" NOTHING "," NOTHING "]}"},
	    {ELECTION_READ, "{" HEADER ",\"succeeded\":true,\"responses\":[" NOTHING "]}"},
	    {ELECTION_READ, "{" HEADER ",\"succeeded\":true,\"responses\":[{},{}]}"},
	    /* The keys in the wrong order: somebody else's answer. */
	    {ELECTION_READ, "{" HEADER ",\"succeeded\":true,\"responses\":[" RANGE(
				REGISTER_KV) "," RANGE(LEADER_KV) "]}"},
	    {ELECTION_READ, "{" HEADER ",\"succeeded\":true,\"responses\":[" NOTHING
			    "," RANGE(REGISTER_KV "," REGISTER_KV) "]}"},
	    {ELECTION_READ, "{" HEADER ",\"succeeded\":true,\"responses\":[" NOTHING "," RANGE(
				"{\"key\":\"" REGISTER_KEY "\",\"value\":\"aGVsbG8=\"}") "]}"},
	    {ELECTION_READ, "{" HEADER ",\"succeeded\":true,\"responses\":[" NOTHING "," RANGE(
				"{\"key\":\"" REGISTER_KEY
				"\",\"create_revision\":\"-1\",\"mod_revision\":\"9\"}") "]}"},
	    {ELECTION_READ, "{" HEADER ",\"succeeded\":true,\"responses\":[" NOTHING
			    "," RANGE("{\"key\":\"" REGISTER_KEY
				      "\",\"create_revision\":\"9\",\"mod_revision\":\"9\","
				      "\"value\":\"%%%\"}") "]}"},
	    {ELECTION_GRANT, "{" HEADER ",\"TTL\":\"5\"}"},
	    {ELECTION_GRANT, "{" HEADER ",\"ID\":\"99999999999999999999999\",\"TTL\":\"5\"}"},
	    {ELECTION_GRANT, "{" HEADER ",\"ID\":\"1\",\"TTL\":\"99999999999\"}"},
	    {ELECTION_KEEPALIVE, "{" HEADER ",\"ID\":\"7587862072908384003\",\"TTL\":\"5\"}"},
	    {ELECTION_KEEPALIVE, "{\"result\":{" HEADER ",\"ID\":\"5\",\"TTL\":\"5\"}}"},
	    {ELECTION_LIST_GET, "{" HEADER ",\"kvs\":[" REGISTER_KV "]}"},
	    {ELECTION_KEYS_GET, "{" HEADER ",\"kvs\":[" REGISTER_KV "]}"},
	    {ELECTION_KEYS_PUT, "{" HEADER ",\"responses\":[" RANGE(REGISTER_KV) "]}"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_msg(read_text(bad[i].request, 200, bad[i].text) == ELECTION_UNKNOWN, "%s",
			      bad[i].text);
		ck_assert_str_eq(got.reply.why, "etcd http://e:1: found an answer that is none of "
						"etcd's (HTTP 200)");
	}
	ck_assert_int_eq(read_text(ELECTION_READ, 500, READ_BOTH), ELECTION_UNKNOWN);
}
END_TEST

START_TEST(refusals_are_told_from_unknown_outcomes)
{
	ck_assert_int_eq(read_text(ELECTION_STORE, 429,
				   "{\"error\":\"etcdserver: mvcc: database space exceeded\","
				   "\"message\":\"\",\"code\":8}"),
			 ELECTION_REFUSED);
	ck_assert_str_eq(got.reply.why,
			 "etcd http://e:1: etcdserver: mvcc: database space exceeded");
	ck_assert_int_eq(read_text(ELECTION_STORE, 403, "{\"error\":\"no\",\"code\":7}"),
			 ELECTION_REFUSED);
	/* Timed out, unavailable, internal: it may have been carried out. */
	ck_assert_int_eq(read_text(ELECTION_STORE, 504, "{\"error\":\"late\",\"code\":4}"),
			 ELECTION_UNKNOWN);
	ck_assert_int_eq(read_text(ELECTION_STORE, 503, "{\"error\":\"away\",\"code\":14}"),
			 ELECTION_UNKNOWN);
	ck_assert_int_eq(read_text(ELECTION_STORE, 500, "{\"error\":\"oh\",\"code\":13}"),
			 ELECTION_UNKNOWN);
	ck_assert_int_eq(read_text(ELECTION_STORE, 502, "<html>bad gateway"), ELECTION_UNKNOWN);
	ck_assert_int_eq(read_text(ELECTION_STORE, 404, "Not Found\n"), ELECTION_REFUSED);
	ck_assert_ptr_nonnull(strstr(got.reply.why, "JSON gateway"));
	ck_assert_int_eq(read_text(ELECTION_STORE, 400,
				   "CommonName of client sending a request against gateway will be "
				   "ignored and not used as expected\n"),
			 ELECTION_REFUSED);
	ck_assert_ptr_nonnull(strstr(got.reply.why, "with a common name"));
	ck_assert_int_eq(read_text(ELECTION_KEEPALIVE, 200,
				   "{\"error\":{\"grpc_code\":14,\"http_code\":503,"
				   "\"message\":\"no leader\"}}"),
			 ELECTION_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(got.reply.why, "no leader"));
	/* What would steer a terminal is not repeated. */
	ck_assert_int_eq(read_text(ELECTION_STORE, 400, "{\"error\":\"\\u001b[2J\\n\",\"code\":3}"),
			 ELECTION_REFUSED);
	ck_assert_ptr_null(strchr(got.reply.why, '\x1b'));
	ck_assert_ptr_null(strchr(got.reply.why, '\n'));
}
END_TEST

START_TEST(every_cut_and_changed_byte_is_survived)
{
	static const char text[] = READ_BOTH;
	char other[sizeof(text)];
	unsigned done = 0;

	for (size_t cut = 0; cut < sizeof(text) - 1; cut++)
		ck_assert_int_eq(read_bytes(ELECTION_READ, 200, text, cut), ELECTION_UNKNOWN);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(other, text, sizeof(text));
			other[i] = (char)(other[i] ^ (1 << bit));
			done += read_bytes(ELECTION_READ, 200, other, sizeof(text) - 1) ==
				ELECTION_DONE;
		}
	ck_assert_uint_gt(done, 0); /* a digit for a digit, a field that nobody reads */
}
END_TEST

START_TEST(a_token_is_one_word_or_none)
{
	static const char *const bad[] = {
	    "{\"token\":\"\"}",
	    "{\"token\":\"a b\"}",
	    "{\"token\":\"a\\r\\nX: y\"}",
	    "{\"token\":7}",
	    "{\"token\":\"a\\u00e9\"}",
	    "",
	    "{}",
	};
	char token[ETCD_TOKEN_BYTES], large[ETCD_TOKEN_BYTES + 32];
	struct failure failure;

	ck_assert_int_eq(etcd_token_read("e", 200, "{\"token\":\"abc.1\"}", 17, token, &failure),
			 ETCD_TOKEN_GIVEN);
	ck_assert_str_eq(token, "abc.1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(etcd_token_read("e", 200, bad[i], strlen(bad[i]), token, &failure) ==
				  ETCD_TOKEN_UNKNOWN,
			      "%s", bad[i]);
	memset(large, 'a', sizeof(large));
	memcpy(large, "{\"token\":\"", 10);
	memcpy(large + sizeof(large) - 2, "\"}", 2);
	ck_assert_int_eq(etcd_token_read("e", 200, large, sizeof(large), token, &failure),
			 ETCD_TOKEN_UNKNOWN);
	ck_assert_int_eq(
	    etcd_token_read("e", 412, "{\"error\":\"off\",\"code\":9}", 24, token, &failure),
	    ETCD_TOKEN_NEEDLESS);
	ck_assert_str_eq(token, "");
	ck_assert_int_eq(
	    etcd_token_read("e", 400, "{\"error\":\"bad\",\"code\":3}", 24, token, &failure),
	    ETCD_TOKEN_REFUSED);
	ck_assert(etcd_answer_wants_token(401, "", 0));
	ck_assert(etcd_answer_wants_token(400, "{user name is empty}", 20));
	ck_assert(!etcd_answer_wants_token(200, "invalid auth token", 18));
	ck_assert(!etcd_answer_wants_token(400, "", 0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("etcd_message");
	TCase *tcase = tcase_create("etcd_message");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, requests_are_as_documented);
	tcase_add_test(tcase, a_store_demands_both_revisions_and_drops_with_the_same_step);
	tcase_add_test(tcase, keys_stand_beside_the_lists_and_are_asked_for_alike);
	tcase_add_test(tcase, what_etcd_answers_is_read);
	tcase_add_test(tcase, an_answer_with_a_wrong_field_leaves_the_outcome_unknown);
	tcase_add_test(tcase, refusals_are_told_from_unknown_outcomes);
	tcase_add_test(tcase, every_cut_and_changed_byte_is_survived);
	tcase_add_test(tcase, a_token_is_one_word_or_none);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
