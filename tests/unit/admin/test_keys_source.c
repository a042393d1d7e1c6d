/* test_keys_source.c - what is in force at an agent, which is believed no more than a file. */
#include "admin/keys_source.h"

#include <errno.h>

#include "admin/human.h"
#include "admin/next_keys.h"
#include "peer.h"
#include "scratch.h"

static struct keys *first, *second, *got;
static char *documents[2];
static char status[512], cluster[LIST_NAME_MAX + 1];
static struct peer_script script;
static struct link *dialled;

static struct keys *make(const struct keys *previous, uint32_t count)
{
	struct trust trust = {.count = count, .threshold = 1};
	uint8_t secret[DOCUMENT_SECRET_BYTES];
	struct keys *made;

	for (uint32_t i = 0; i < count; i++)
		(void)crypto_sign_keypair(trust.keys[i], secret);
	ck_assert_int_eq(next_keys_make("web", previous, &trust, &made, &failure), 0);
	return made;
}

static void setup(void)
{
	scratch_setup();
	first = make(NULL, 1);
	second = make(first, 2);
	documents[0] = strndup((const char *)first->document, first->document_bytes);
	documents[1] = strndup((const char *)second->document, second->document_bytes);
	memset(&script, 0, sizeof(script));
	script.status[0] = status;
	script.documents[0] = documents[0];
	script.documents[1] = documents[1];
	got = NULL;
	dialled = NULL;
}

static void teardown(void)
{
	link_free(dialled);
	peer_stop();
	keys_free(first);
	keys_free(second);
	keys_free(got);
	free(documents[0]);
	free(documents[1]);
	scratch_teardown();
}

static int ask(uint64_t version, const struct keys *keys)
{
	struct link_peer peer = {0};
	char hex[2 * LIST_HASH_BYTES + 1] = "none";

	if (keys != NULL)
		human_hex(keys->hash, LIST_HASH_BYTES, hex);
	(void)snprintf(status, sizeof(status),
		       "agent a1\ncluster web\nkeys-version %u\nkeys-hash %s\n", (unsigned)version,
		       hex);
	(void)snprintf(peer.path, sizeof(peer.path), "%s", scratch_path("control"));
	peer_start(peer.path, &script);
	ck_assert_int_eq(link_new(&peer, &dialled, &failure), 0);
	return keys_source_agent(dialled, &got, cluster, &failure);
}

START_TEST(document_in_force_is_fetched_by_its_hash)
{
	ck_assert_msg(ask(2, second) == 0, "%s", failure.text);
	ck_assert_uint_eq(got->version, 2);
	ck_assert_mem_eq(got->hash, second->hash, LIST_HASH_BYTES);
	ck_assert_str_eq(cluster, "web");
}
END_TEST

START_TEST(where_none_is_in_force_there_is_none)
{
	ck_assert_msg(ask(0, NULL) == 0, "%s", failure.text);
	ck_assert_ptr_null(got);
	ck_assert_str_eq(cluster, "web");
}
END_TEST

START_TEST(another_document_is_not_believed)
{
	script.liar = true;
	ck_assert_int_eq(ask(2, second), -EBADMSG);
	ck_assert_says(failure.text, "gave another keys document than is in force");
}
END_TEST

START_TEST(version_that_does_not_fit_the_hash_is_not_believed)
{
	ck_assert_int_eq(ask(3, second), -EBADMSG);
	ck_assert_says(failure.text, "gave another keys document");
}
END_TEST

START_TEST(version_without_a_hash_is_refused)
{
	ck_assert_int_eq(ask(3, NULL), -EBADMSG);
	ck_assert_says(failure.text, "says keys version 3 is in force, not with which hash");
}
END_TEST

START_TEST(document_that_the_agent_has_lost_is_missed)
{
	script.documents[1] = NULL;
	ck_assert_int_eq(ask(2, second), -ENOENT);
	ck_assert_says(failure.text, "has no document ");
}
END_TEST

START_TEST(document_of_another_kind_is_refused)
{
	script.documents[0] = "mcroster-list 1\n";
	script.liar = true;
	ck_assert_int_eq(ask(2, second), -EBADMSG);
	ck_assert_says(failure.text, "line 1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keys_source");
	TCase *tcase = tcase_create("keys_source");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, document_in_force_is_fetched_by_its_hash);
	tcase_add_test(tcase, where_none_is_in_force_there_is_none);
	tcase_add_test(tcase, another_document_is_not_believed);
	tcase_add_test(tcase, version_that_does_not_fit_the_hash_is_not_believed);
	tcase_add_test(tcase, version_without_a_hash_is_refused);
	tcase_add_test(tcase, document_that_the_agent_has_lost_is_missed);
	tcase_add_test(tcase, document_of_another_kind_is_refused);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
