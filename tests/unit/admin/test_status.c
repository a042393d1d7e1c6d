/* test_status.c - the text of a STATUS: taken, bounded, cleaned, and kept where it is not known. */
#include "admin/status.h"

#include <errno.h>

#include "scratch.h"

static struct status *status;

static void setup(void)
{
	scratch_setup();
	status = NULL;
}

static void teardown(void)
{
	status_free(status);
	scratch_teardown();
}

static void parse(const char *text)
{
	ck_assert_msg(status_parse(text, strlen(text), &status, &failure) == 0, "%s", failure.text);
}

static const char whole[] =
    "agent a1\nversion 0.1.0\ncluster web\nepoch 41\nnext-epoch 42\nphase COPY\nsettled no\n"
    "term 3\nserial 17\ncoordinator a2\ngeneration 9\nlease-ms-left 4200\nisolated yes\n"
    "reason a server of 3 words\ntrouble \nview cluster\nwaits-for host a2 to adopt\n"
    "change-epoch 42\nchange-slots 16384\nchange-slots-moved 4096\nchange-keys-found 1000\n"
    "change-keys-moved 600\nchange-keys-failed 1\nchange-keys-left 390\nchange-rate 100\n"
    "change-ms 1500\naborting yes\ngiven-up s1 s22\nexcused a2\nkeys-version 7\nequivocation 2\n"
    "active a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\npending none\n"
    "keys-hash 5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c\n"
    "evidence list 42 6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a\nowed "
    "5\nowed-bytes 155\nowed-max 65536\nowed-refused 6\nowed-since 1700000000\n"
    "owed-trouble the disk is full\n"
    "failover 4 a2\nnew-thing of a later agent\n"
    "server s1 10.0.0.1:11211 agent=a1 slots=8192/4096\n"
    "server s2 10.0.0.2:11211 agent=a2 slots=8192/12288 colour=blue owed=4 owed-since=1700000001\n"
    "host a2 release=0.2.0 lease-ms-left=-1 adopted=3.16 phase=PREPARE work=none reason=\n"
    "host a1 lease-ms-left=4000 adopted=3.17 phase=COPY work=running found=10 moved=6 present=1 "
    "expired=4 "
    "gone=2 failed=1 cold=5 left=0 rate=7 later=1 reason=full of words, a=b\n";

START_TEST(every_field_is_taken)
{
	parse(whole);
	ck_assert(status->cluster_view);
	ck_assert_str_eq(status->agent, "a1");
	ck_assert_str_eq(status->version, "0.1.0");
	ck_assert_uint_eq(status->epoch, 41);
	ck_assert_uint_eq(status->next_epoch, 42);
	ck_assert_str_eq(status->phase, "COPY");
	ck_assert(!status->settled);
	ck_assert_uint_eq(status->term, 3);
	ck_assert_uint_eq(status->serial, 17);
	ck_assert_str_eq(status->coordinator, "a2");
	ck_assert_uint_eq(status->generation, 9);
	ck_assert_int_eq(status->lease_left_ms, 4200);
	ck_assert(status->isolated);
	ck_assert_str_eq(status->reason, "a server of 3 words");
	ck_assert_str_eq(status->trouble, "");
	ck_assert_str_eq(status->waits_for, "host a2 to adopt");
	ck_assert_uint_eq(status->change_epoch, 42);
	ck_assert_uint_eq(status->change_slots, 16384);
	ck_assert_uint_eq(status->change_slots_moved, 4096);
	ck_assert_uint_eq(status->keys_found, 1000);
	ck_assert_uint_eq(status->keys_moved, 600);
	ck_assert_uint_eq(status->keys_failed, 1);
	ck_assert_uint_eq(status->keys_left, 390);
	ck_assert_uint_eq(status->keys_rate, 100);
	ck_assert_uint_eq(status->change_ms, 1500);
	ck_assert(status->active.there);
	ck_assert_uint_eq(status->active.bytes[31], 0xa5);
	ck_assert(!status->pending.there);
	ck_assert(status->aborting);
	ck_assert_str_eq(status->given_up, "s1 s22");
	ck_assert_str_eq(status->excused, "a2");
	ck_assert_uint_eq(status->keys_version, 7);
	ck_assert(status->keys.there);
	ck_assert_uint_eq(status->keys.bytes[0], 0x5c);
	ck_assert_uint_eq(status->equivocation, 2);
	ck_assert_uint_eq(status->failover_term, 4);
	ck_assert_str_eq(status->failover_agent, "a2");
	ck_assert_uint_eq(status->server_count, 2);
	ck_assert_str_eq(status->servers[1].name, "s2");
	ck_assert_str_eq(status->servers[1].address, "10.0.0.2:11211");
	ck_assert_str_eq(status->servers[1].agent, "a2");
	ck_assert_uint_eq(status->servers[1].old_slots, 8192);
	ck_assert_uint_eq(status->servers[1].new_slots, 12288);
	ck_assert_uint_eq(status->evidence_count, 1);
	ck_assert_str_eq(status->evidence[0].kind, "list");
	ck_assert_uint_eq(status->evidence[0].number, 42);
	ck_assert_uint_eq(status->evidence[0].hash.bytes[31], 0x6a);
	ck_assert_uint_eq(status->owed.keys, 5);
	ck_assert_uint_eq(status->owed.bytes, 155);
	ck_assert_uint_eq(status->owed.max, 65536);
	ck_assert_uint_eq(status->owed.refused, 6);
	ck_assert_uint_eq(status->owed.since, 1700000000);
	ck_assert_str_eq(status->owed.trouble, "the disk is full");
	ck_assert_uint_eq(status->servers[0].owed, 0);
	ck_assert_uint_eq(status->servers[1].owed, 4);
	ck_assert_uint_eq(status->servers[1].owed_since, 1700000001);
	ck_assert_uint_eq(status->host_count, 2);
	ck_assert_int_eq(status->hosts[0].lease_left_ms, 4000);
	ck_assert_uint_eq(status->hosts[0].term, 3);
	ck_assert_uint_eq(status->hosts[0].serial, 17);
	ck_assert_str_eq(status->hosts[0].phase, "COPY");
	ck_assert_str_eq(status->hosts[0].work, "running");
	ck_assert_uint_eq(status->hosts[0].moved, 6);
	ck_assert_uint_eq(status->hosts[0].rate, 7);
	ck_assert_str_eq(status->hosts[0].reason, "full of words, a=b");
	ck_assert_int_eq(status->hosts[1].lease_left_ms, -1);
	ck_assert_str_eq(status->hosts[1].reason, "");
	ck_assert_uint_eq(status->other_count, 1);
	ck_assert_str_eq(status->others[0].name, "new-thing");
	ck_assert_str_eq(status->others[0].value, "of a later agent");
}
END_TEST

START_TEST(json_hands_everything_on)
{
	struct json json;
	char *text;
	size_t text_bytes;
	FILE *out = open_memstream(&text, &text_bytes);

	parse(whole);
	json_begin(&json, out);
	json_object_open(&json, NULL);
	status_json(status, &json);
	json_object_close(&json);
	json_end(&json);
	(void)fclose(out);
	ck_assert_says(text, "{\"view\":\"cluster\",\"agent\":\"a1\",");
	ck_assert_says(text,
		       ",\"epoch\":41,\"next_epoch\":42,\"phase\":\"COPY\",\"settled\":false,");
	ck_assert_says(text, ",\"change_keys_left\":390,\"change_rate\":100,");
	ck_assert_says(text, "\"pending\":null,\"aborting\":true,\"given_up\":[\"s1\",\"s22\"],"
			     "\"excused\":[\"a2\"],\"keys_version\":7,\"keys_hash\":\"5c5c");
	ck_assert_says(text, "\"equivocation\":2,\"evidence\":[{\"kind\":\"list\",\"number\":42,"
			     "\"hash\":\"6a6a");
	ck_assert_says(text, "}],\"failover_term\":4,\"failover_agent\":\"a2\",");
	ck_assert_says(text, "\"owed\":5,\"owed_bytes\":155,\"owed_max\":65536,\"owed_refused\":6,"
			     "\"owed_since\":1700000000,\"owed_trouble\":");
	ck_assert_says(text, "\"slots_old\":8192,\"slots_new\":12288,\"owed\":4,"
			     "\"owed_since\":1700000001,");
	ck_assert_says(text, "{\"name\":\"a2\",\"lease_ms_left\":-1,\"adopted_term\":3,"
			     "\"adopted_serial\":16,\"phase\":\"PREPARE\",\"work\":\"none\",");
	ck_assert_says(text, "\"release\":\"0.2.0\",\"reason\":\"\"}");
	ck_assert_says(text, "\"reason\":\"full of words, a=b\"}");
	ck_assert_says(text,
		       "\"other\":[{\"name\":\"new-thing\",\"value\":\"of a later agent\"}]}\n");
	free(text);
}
END_TEST

static const struct {
	const char *text, *says;
} wrong[] = {
    {"agent a\nepoch x\n", "line 2: 'epoch x'"},
    {"epoch\n", "line 1: 'epoch "},
    {"epoch 1 2\n", "line 1: 'epoch 1 2'"},
    {"epoch -1\n", "line 1: 'epoch -1'"},
    {"epoch 18446744073709551616\n", "line 1: 'epoch 18446744073709551616'"},
    {"settled maybe\n", "line 1: 'settled maybe'"},
    {"lease-ms-left -2\n", "line 1: 'lease-ms-left -2'"},
    {"lease-ms-left 9223372036854775808\n", "line 1: 'lease-ms-left 9223372036854775808'"},
    {"\n\nserver s a slots=1\n", "line 3: 'server slots=1'"},
    {"server s a slots=1/\n", "line 1: 'server slots=1/'"},
    {"server s a slots=/1\n", "line 1: 'server slots=/1'"},
    {"host h adopted=1\n", "line 1: 'host adopted=1'"},
    {"host h left=-1\n", "line 1: 'host left=-1'"},
    {"host h lease-ms-left=soon\n", "line 1: 'host lease-ms-left=soon'"},
    {"active a5a5\n", "line 1: 'active a5a5'"},
    {"pending maybe\n", "line 1: 'pending maybe'"},
    {"keys-hash 5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c\n",
     "line 1: 'keys-hash 5c5c"},
    {"failover a2\n", "line 1: 'failover a2'"},
    {"failover 4\n", "line 1: 'failover 4'"},
    {"evidence\n", "line 1: 'evidence"},
    {"evidence list 3\n", "line 1: 'evidence"},
    {"evidence list three 6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a\n",
     "line 1: 'evidence"},
    {"evidence keys 3 none\n", "line 1: 'evidence none'"},
    {"server s a owed=x\n", "line 1: 'server owed=x'"},
    {"server s a owed-since=-1\n", "line 1: 'server owed-since=-1'"},
    {"owed many\n", "line 1: 'owed many'"},
    {"server s a\nasked-owes s owed=x\n", "line 2: 'asked-owes owed=x'"},
    {"equivocation some\n", "line 1: 'equivocation some'"},
};

START_TEST(hosts_are_in_the_order_of_their_names)
{
	parse("host a10 adopted=1.1\nhost b1 adopted=1.1\nhost a2 adopted=1.1\n");
	ck_assert_str_eq(status->hosts[0].name, "a2");
	ck_assert_str_eq(status->hosts[1].name, "a10");
	ck_assert_str_eq(status->hosts[2].name, "b1");
}
END_TEST

START_TEST(value_of_another_kind_is_refused_with_its_line)
{
	ck_assert_int_eq(status_parse(wrong[_i].text, strlen(wrong[_i].text), &status, &failure),
			 -EBADMSG);
	ck_assert_ptr_null(status);
	ck_assert_says(failure.text, wrong[_i].says);
}
END_TEST

START_TEST(nothing_ordered_is_said_by_empty_lines_or_by_none)
{
	parse("given-up \nexcused\nfailover \nactive \nkeys-hash none\ngiven-up \n");
	ck_assert_str_eq(status->given_up, "");
	ck_assert_str_eq(status->failover_agent, "");
	ck_assert(!status->active.there);
	ck_assert(!status->keys.there);
	status_free(status);
	parse("epoch 1\n");
	ck_assert_ptr_null(status->given_up);
	ck_assert(!status_names(status->given_up, "s1"));
}
END_TEST

START_TEST(names_are_found_whole)
{
	ck_assert(status_names("s1 s22 s3", "s1"));
	ck_assert(status_names("s1 s22 s3", "s22"));
	ck_assert(status_names("s1 s22 s3", "s3"));
	ck_assert(!status_names("s1 s22 s3", "s2"));
	ck_assert(!status_names("s1 s22 s3", "22"));
	ck_assert(!status_names("s1 s22 s3", "s222"));
	ck_assert(!status_names("", "s1"));
}
END_TEST

START_TEST(hostile_bytes_do_no_harm)
{
	static const char text[] = "phase \x1b[2J\0\xff\nreason \r\n\x07 \x01\nhost\nserver\n\n ";

	ck_assert_int_eq(status_parse(text, sizeof(text) - 1, &status, &failure), 0);
	ck_assert_str_eq(status->phase, "?[2J??");
	ck_assert_str_eq(status->reason, "?");
	ck_assert_uint_eq(status->host_count, 1);
	ck_assert_uint_eq(status->server_count, 1);
	status_free(status);
	ck_assert_int_eq(status_parse(NULL, 0, &status, &failure), 0);
	ck_assert_int_eq(status->lease_left_ms, -1);
	ck_assert(!status->settled);
}
END_TEST

START_TEST(long_words_are_cut_and_many_lines_are_held)
{
	char *text = malloc(1u << 20);
	size_t used = 0;

	used += (size_t)sprintf(text + used, "cluster ");
	memset(text + used, 'c', 5000);
	used += 5000;
	for (unsigned i = 0; i < 3000; i++)
		used += (size_t)sprintf(text + used,
					"\nserver s%u a%u agent=x slots=%u/1\nhost h%u\nn%u v", i,
					i, i, i, i);
	ck_assert_int_eq(status_parse(text, used, &status, &failure), 0);
	ck_assert_uint_eq(strlen(status->cluster), LIST_NAME_MAX);
	ck_assert_uint_eq(status->server_count, 3000);
	ck_assert_uint_eq(status->host_count, 3000);
	ck_assert_uint_eq(status->other_count, 3000);
	ck_assert_str_eq(status->servers[2999].name, "s2999");
	ck_assert_uint_eq(status->servers[2999].old_slots, 2999);
	ck_assert_str_eq(status->hosts[1024].name, "h1024");
	ck_assert_str_eq(status->others[2049].name, "n2049");
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("status");
	TCase *tcase = tcase_create("status");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, every_field_is_taken);
	tcase_add_test(tcase, json_hands_everything_on);
	tcase_add_test(tcase, hosts_are_in_the_order_of_their_names);
	tcase_add_loop_test(tcase, value_of_another_kind_is_refused_with_its_line, 0,
			    sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(tcase, nothing_ordered_is_said_by_empty_lines_or_by_none);
	tcase_add_test(tcase, names_are_found_whole);
	tcase_add_test(tcase, hostile_bytes_do_no_harm);
	tcase_add_test(tcase, long_words_are_cut_and_many_lines_are_held);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
