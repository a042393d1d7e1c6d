/* test_list_lines.c - what each line may say: one edit of a good list, one refusal. */
#include <errno.h>

#include "sample.h"

/* The good list has, among others, these lines (see sample.h):
 *   13 prefix, 14 and 15 agents, 16 coordinator, 17 to 19 servers, 20 slots. */
static const struct {
	const char *from, *to;
	const char *line, *reason;
} edits[] = {
    {"mcroster-list 1", "mcroster-list 2", "line 1: ", "only format 1"},
    {"mcroster-list 1", "mcroster-order 1", "line 1: ", "want `mcroster-list 1`"},
    {"mcroster-list 1", "mcroster-list", "line 1: ", "want `mcroster-list 1`"},
    {"mcroster-list 1", "mcroster-list 1 1", "line 1: ", "want `mcroster-list 1`"},
    {"mcroster-list 1", "Mcroster-list 1", "line 1: ", "found `Mcroster-list`"},
    {"mcroster-list 1", "\xef\xbb\xbfmcroster-list 1", "line 1: ", "byte 0xef at column 1"},
    {"cluster web", "cluster we/b", "line 2: ", "cluster `we/b`"},
    {"cluster web", "cluster web db", "line 2: ", "3 words"},
    {"epoch 42", "epoch 0", "line 3: ", "epoch `0`"},
    {"epoch 42", "epoch 042", "line 3: ", "without leading zeros"},
    {"epoch 42", "epoch 9223372036854775808", "line 3: ", "from 1 to 9223372036854775807"},
    {"epoch 42", "epoch +42", "line 3: ", "epoch `+42`"},
    {"parent 5c", "parent 5C", "line 4: ", "64 lower-case hex digits"},
    {"parent 5c", "parent 5", "line 4: ", "64 lower-case hex digits"},
    {"parent 5c5c", "parent none 5c5c", "line 4: ", "3 words"},
    {"created 2026-11-22", "created 2026-11-31", "line 5: ", "a real UTC time"},
    {"slots 1024", "slots 1000", "line 6: ", "from 1024 to 65536"},
    {"slots 1024", "slots 1025", "line 6: ", "power of two"},
    {"slots 1024", "slots 131072", "line 6: ", "from 1024 to 65536"},
    {"slots 1024", "slots 2048", "line 20: ", "want 5464 characters"},
    {"distribution slots 1024", "distribution rings 1024",
     "line 6: ", "distribution `rings`: none of this name"},
    {"distribution slots 1024", "distribution slots", "line 6: ", "one more word behind the name"},
    {"distribution slots 1024", "distribution slots 1024 x", "line 6: ", "4 words"},
    {"distribution slots 1024", "distribution ketama", "line 20: ", "the distribution is ketama"},
    {"distribution slots 1024", "distribution ketama md5", "line 6: ", "want no word behind"},
    {"distribution slots 1024", "distribution ketama-weighted", "line 6: ", "one more word"},
    {"distribution slots 1024", "distribution ketama-weighted sha1", "line 6: ", "no hash of this"},
    {"distribution slots 1024", "distribution ketama-weighted MD5", "line 6: ", "no hash of this"},
    {"distribution slots 1024", "distribution modula xxh3", "line 6: ", "no hash of this name"},
    {"distribution slots 1024", "distribution proxy-ring", "line 6: ", "none of this name"},
    {"distribution slots 1024", "distribution proxy-ring other",
     "line 6: ", "`other`: none of this"},
    {" wipe=7", " label=x wipe=7", "line 19: ", "a label is for distributions that make a ring"},
    {" wipe=7", " wipe=7 label=x", "line 19: ", "in this order"},
    {"\nlease 5000", "\nlease 99", "line 7: ", "from 100 to 3600000"},
    {"\nlease 5000", "\nlease 3600001", "line 7: ", "from 100 to 3600000"},
    {"\nlease 5000", "\nlease 5000ms", "line 7: ", "lease `5000ms`"},
    {"\nlease 5000", "\nlease 60001", "line 8: ", "below lease 60001"},
    {"steady-lease 60000", "steady-lease 4999", "line 8: ", "below lease 5000"},
    {"\nlease 5000", "\nlease 3000", "line 9: ", "three times it must be less"},
    {"op-timeout 1000", "op-timeout 1667", "line 9: ", "three times it must be less"},
    {"op-timeout 1000", "op-timeout 0", "line 9: ", "from 10 to"},
    {"op-timeout 1000", "op-timeout 3600000", "line 9: ", "three times it must be less"},
    {"client-quorum 10", "client-quorum 101", "line 10: ", "from 0 to 100"},
    {"client-quorum 10", "client-quorum 10%", "line 10: ", "client-quorum `10%`"},
    {"registration required", "registration yes", "line 11: ", "required or optional"},
    {"isolation serve", "isolation Bypass", "line 12: ", "serve or bypass"},
    {"prefix shop:", "unaware-clients no", "line 13: ", "want yes, or no such line"},
    {"prefix shop:", "unaware-clients yes", "line 21: ", "want `unaware-poll MS` after it"},
    {"prefix shop:", "unaware-poll 1000", "line 13: ", "without `unaware-clients yes` before it"},
    {"prefix shop:", "unaware-clients yes\nunaware-poll 9", "line 14: ", "from 10 to 3600000"},
    {"prefix shop:", "unaware-poll 1000\nunaware-clients yes",
     "line 13: ", "without `unaware-clients yes` before it"},
    {"prefix shop:", "prefix", "line 13: ", "1 words: want `prefix STRING`"},
    {"prefix shop:", "prefix sh op:", "line 13: ", "3 words"},
    {"prefix shop:", "prefix a234567890b234567890c234567890d234567890e234567890f234567890g234",
     "line 13: ", "prefix of 64 bytes: at most 63"},
    {"agent web01", "agent web00", "line 15: ", "has the name of the agent `web00` at line 14"},
    {"[fd00::2]:11280", "10.0.0.1:11280", "line 15: ", "has the address of the agent `web00`"},
    {"[fd00::2]:11280", "[FD00::2]:11280", "line 15: ", "numeric address"},
    {"[fd00::2]:11280", "localhost:11280", "line 15: ", "numeric address"},
    {"[fd00::2]:11280", "[::]:11280", "line 15: ", "numeric address of one host"},
    {"10.0.0.1:11280", "0.0.0.0:11280", "line 14: ", "numeric address of one host"},
    {" key=EBAQ", " kee=EBAQ", "line 14: ", "want key="},
    {" key=EBAQ", " key=EBA", "line 14: ", "44 characters"},
    {"coordinator web00", "coordinator web02", "line 16: ", "no agent line has this name"},
    {"coordinator web00", "coordinator web00 web01", "line 16: ", "3 words"},
    {"server cache01", "server cache00",
     "line 18: ", "has the name of the server `cache00` at line 17"},
    {"10.0.1.2:11211", "10.0.1.1:11211",
     "line 18: ", "has the address of the server `cache00` at line 17"},
    {"10.0.1.2:11211", "10.0.0.1:11280", "line 18: ", "has the address of agent `web00`"},
    {"10.0.1.2:11211", "10.0.1.2", "line 18: ", "server address `10.0.1.2`"},
    {"weight=100", "weight=0", "line 17: ", "weight `0`: want a decimal number from 1"},
    {"weight=100", "weight=1000001", "line 17: ", "from 1 to 1000000"},
    {"weight=100", "weight=", "line 17: ", "weight ``"},
    {"weight=100 agent=web00", "agent=web00 weight=100", "line 17: ", "in this order"},
    {"weight=100 agent=web00", "weight=100", "line 17: ", "4 words"},
    {"agent=web00", "agent=web09", "line 17: ", "no agent line has this name"},
    {"agent=web00", "agent=web00 wype=1", "line 17: ", "in this order"},
    {"agent=web00", "agent=web00 wipe=01", "line 17: ", "wipe `01`"},
    {"agent=web00", "agent=web00 wipe=", "line 17: ", "wipe ``"},
    {"agent=web00", "agent=web00 wipe=9223372036854775808", "line 17: ", "wipe `922"},
    {" wipe=7", " wipe=7 wipe=7", "line 19: ", "want label=LABEL and wipe=N"},
    {"\nslots A", "\nslots ", "line 20: ", "want 2732 characters of canonical base64"},
    {"\nslots A", "\nslots -", "line 20: ", "canonical base64"},
    {"\nslots AAAA", "\nslots AwAA",
     "line 20: ", "slot 0 names server number 3: the list has 3 servers"},
    {"\nslots AAAA", "\nslots //8A", "line 20: ", "server number 65535"},
    {"coordinator web00", "coordinator web00\ncoordinator web00",
     "line 17: ", "coordinator `web00` stands twice"},
    {"coordinator web00", "coordinator web00\ncoordinator web01\ncoordinator web00",
     "line 18: ", "coordinator `web00` stands twice"},
    {"coordinator web00", "coordinator web00\ncoordinator web02",
     "line 17: ", "no agent line has this name"},
    {"\nslots ", "\ncoordinator web01\nslots ", "line 20: ", "found `coordinator`"},
    {"\nslots ", "\ngiveup cache09\nslots ", "line 20: ", "2 words: want `giveup NAME ADDRESS`"},
    {"\nslots ", "\ngiveup cache09 10.0.1.9:11211 x\nslots ", "line 20: ", "4 words"},
    {"\nslots ", "\ngiveup cache/9 10.0.1.9:11211\nslots ",
     "line 20: ", "giveup `cache/9`: want a name"},
    {"\nslots ", "\ngiveup cache09 0.0.0.0:11211\nslots ",
     "line 20: ", "giveup `0.0.0.0:11211`: want the numeric address"},
    {"\nslots ", "\ngiveup cache01 10.0.1.2:11211\nslots ",
     "line 20: ", "giveup `cache01` at 10.0.1.2:11211 is the server `cache01`"},
    {"\nslots ", "\ngiveup cache09 10.0.1.3:11211\nslots ",
     "line 20: ", "giveup `cache09` at 10.0.1.3:11211 is the server `cache02`"},
    {"\nslots ", "\ngiveup cache08 10.0.1.8:11211\ngiveup cache08 10.0.1.9:11211\nslots ",
     "line 21: ", "giveup `cache08` stands twice"},
    {"\nslots ", "\ngiveup cache08 10.0.1.8:11211\ngiveup cache07 10.0.1.9:11211\nslots ",
     "line 21: ", "giveup `cache07` after `cache08`: they stand in ascending order"},
    {"\nslots ", "\ngiveup cache08 10.0.1.8:11211\ngiveup cache09 10.0.1.8:11211\nslots ",
     "line 21: ", "giveup `cache09` at 10.0.1.8:11211 has the address of `cache08`"},
    {"\nslots ",
     "\ngiveup cache08 10.0.1.8:11211\nserver cache09 10.0.1.9:11211 weight=1 agent=web00\nslots ",
     "line 21: ", "found `server`: want `giveup NAME ADDRESS` or `slots BASE64` or the end"},
    {"server cache00", "giveup cache09 10.0.1.9:11211\nserver cache00",
     "line 17: ", "found `giveup`"},
    {"=\n", "= x\n", "line 14: ", "5 words"},
};

START_TEST(one_wrong_value_is_refused_with_its_line_and_its_rule)
{
	struct failure failure = {{0}};
	struct list *list = NULL;
	struct sample sample;
	char *good, *bad;
	int error;

	sample_make(&sample, 3);
	good = sample_body(&sample);
	bad = text_replace(good, edits[_i].from, edits[_i].to);
	error = list_parse(bad, strlen(bad), &list, &failure);
	ck_assert_msg(error == -EBADMSG, "`%s` to `%s`: %d", edits[_i].from, edits[_i].to, error);
	ck_assert_ptr_null(list);
	ck_assert_msg(strncmp(failure.text, edits[_i].line, strlen(edits[_i].line)) == 0 &&
			  strstr(failure.text, edits[_i].reason) != NULL,
		      "`%s` does not say `%s … %s`", failure.text, edits[_i].line,
		      edits[_i].reason);
	free(bad);
	free(good);
}
END_TEST

START_TEST(values_at_their_bounds_are_taken)
{
	static const char *const ok[][2] = {
	    {"epoch 42", "epoch 9223372036854775807"},
	    {"epoch 42", "epoch 1"},
	    {"op-timeout 1000", "op-timeout 1666"},
	    {"op-timeout 1000", "op-timeout 10"},
	    {"steady-lease 60000", "steady-lease 5000"},
	    {"steady-lease 60000", "steady-lease 3600000"},
	    {"client-quorum 10", "client-quorum 0"},
	    {"client-quorum 10", "client-quorum 100"},
	    {"registration required", "registration optional"},
	    {"isolation serve", "isolation bypass"},
	    {"prefix shop:", "unaware-clients yes\nunaware-poll 10\nprefix shop:"},
	    {"prefix shop:\n", "unaware-clients yes\nunaware-poll 3600000\n"},
	    {"prefix shop:\n", ""},
	    {"prefix shop:", "prefix none"},
	    {"prefix shop:",
	     "prefix a234567890b234567890c234567890d234567890e234567890f234567890g23"},
	    {"weight=100", "weight=1"},
	    {"weight=100", "weight=1000000"},
	    {" wipe=7", ""},
	    {" wipe=7", " wipe=0"},
	    {" wipe=7", " wipe=9223372036854775807"},
	    {"coordinator web00", "coordinator web01"},
	    {"coordinator web00", "coordinator web00\ncoordinator web01"},
	    {"coordinator web00", "coordinator web01\ncoordinator web00"},
	    {"\nslots ", "\ngiveup cache09 10.0.1.9:11211\nslots "},
	    /* cache01 was replaced: the same name at another address is another server */
	    {"\nslots ", "\ngiveup cache01 10.0.1.9:11211\nslots "},
	    {"\nslots ", "\ngiveup cache08 10.0.1.9:11211\ngiveup cache09 10.0.1.8:11211\nslots "},
	};
	struct failure failure = {{0}};
	struct list *list = NULL;
	struct sample sample;
	char *good, *other;

	sample_make(&sample, 3);
	good = sample_body(&sample);
	other = text_replace(good, ok[_i][0], ok[_i][1]);
	ck_assert_msg(list_parse(other, strlen(other), &list, &failure) == 0, "`%s`: %s", ok[_i][1],
		      failure.text);
	list_free(list);
	free(other);
	free(good);
}
END_TEST

START_TEST(candidates_are_bounded)
{
	struct list_agent agents[LIST_COORDINATORS_MAX + 1];
	struct failure failure = {{0}};
	struct list *list = NULL;
	struct sample sample;
	char *body, *more;

	sample_make(&sample, 3);
	sample.list.agents = agents;
	sample.list.agent_count = LIST_COORDINATORS_MAX + 1;
	sample.list.coordinator_count = LIST_COORDINATORS_MAX;
	memset(agents, 0, sizeof(agents));
	for (uint32_t i = 0; i <= LIST_COORDINATORS_MAX; i++) {
		(void)snprintf(agents[i].name, sizeof(agents[i].name), "web%02u", i);
		(void)snprintf(agents[i].address, sizeof(agents[i].address), "10.0.0.%u:1", i + 1);
		memset(agents[i].key, (int)i + 1, sizeof(agents[i].key));
		if (i < LIST_COORDINATORS_MAX)
			sample.list.coordinators[i] = i;
	}
	body = sample_body(&sample);
	ck_assert_int_eq(list_parse(body, strlen(body), &list, &failure), 0);
	ck_assert_uint_eq(list->coordinator_count, LIST_COORDINATORS_MAX);
	list_free(list);
	more = text_replace(body, "\nserver cache00", "\ncoordinator web32\nserver cache00");
	ck_assert_int_eq(list_parse(more, strlen(more), &list, &failure), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(failure.text, "more than 32 coordinators"));
	free(more);
	free(body);
}
END_TEST

START_TEST(agent_keys_are_unlike_and_not_zero)
{
	struct failure failure = {{0}};
	void *body = NULL;
	size_t bytes = 0;
	struct sample sample;

	sample_make(&sample, 3);
	memcpy(sample.agents[1].key, sample.agents[0].key, LIST_HOST_KEY_BYTES);
	ck_assert_int_eq(list_write(&sample.list, &body, &bytes, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "has the key of the agent `web00`"));
	memset(sample.agents[1].key, 0, LIST_HOST_KEY_BYTES);
	ck_assert_int_eq(list_write(&sample.list, &body, &bytes, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "line 15: `key=AAAA"));
	ck_assert_ptr_null(body);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("list_lines");
	TCase *tcase = tcase_create("list_lines");

	tcase_add_loop_test(tcase, one_wrong_value_is_refused_with_its_line_and_its_rule, 0,
			    (int)(sizeof(edits) / sizeof(edits[0])));
	tcase_add_loop_test(tcase, values_at_their_bounds_are_taken, 0, 24);
	tcase_add_test(tcase, candidates_are_bounded);
	tcase_add_test(tcase, agent_keys_are_unlike_and_not_zero);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
