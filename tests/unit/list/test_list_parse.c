/* test_list_parse.c - lines as such: their order, their bytes, their number. */
#include <errno.h>

#include "sample.h"

#define LINES_MAX 64

static struct sample sample;
static struct failure failure;
static char *body;
static char *lines[LINES_MAX]; /* of the body, without newlines */
static unsigned line_count;

static void setup(void)
{
	char *copy, *rest, *line;

	memset(&failure, 0, sizeof(failure));
	sample_make(&sample, 3);
	body = sample_body(&sample);
	line_count = 0;
	rest = copy = strdup(body);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0')
		lines[line_count++] = strdup(line);
	free(copy);
	ck_assert_uint_eq(line_count, 20);
}

static void teardown(void)
{
	for (unsigned i = 0; i < line_count; i++)
		free(lines[i]);
	free(body);
}

/* The lines named by `order` (-1 ends it), put together again. */
static char *lines_join(const int *order)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	for (; *order >= 0; order++)
		fprintf(out, "%s\n", lines[*order]);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static void refuses_bytes(const char *text, size_t bytes, const char *reason)
{
	struct list *list = NULL;
	int error = list_parse(text, bytes, &list, &failure);

	ck_assert_msg(error == -EBADMSG, "%d instead of `%s`", error, reason);
	ck_assert_ptr_null(list);
	ck_assert_msg(strstr(failure.text, reason) != NULL, "`%s` does not say `%s`", failure.text,
		      reason);
}

static void refuses(const char *text, const char *reason)
{
	refuses_bytes(text, strlen(text), reason);
}

static bool accepts(const char *text)
{
	struct list *list = NULL;

	if (list_parse(text, strlen(text), &list, &failure) != 0)
		return false;
	list_free(list);
	return true;
}

static bool same_keyword(unsigned a, unsigned b)
{
	const size_t bytes = strcspn(lines[a], " ");

	return bytes == strcspn(lines[b], " ") && strncmp(lines[a], lines[b], bytes) == 0;
}

START_TEST(every_field_arrives)
{
	const struct list *want = &sample.list;
	struct list *list = NULL;
	uint8_t hash[LIST_HASH_BYTES];

	ck_assert_msg(list_parse(body, strlen(body), &list, &failure) == 0, "%s", failure.text);
	ck_assert_str_eq(list->cluster, "web");
	ck_assert_uint_eq(list->epoch, 42);
	ck_assert(list->has_parent);
	ck_assert_mem_eq(list->parent, want->parent, sizeof(list->parent));
	ck_assert_str_eq(list->created, "2026-11-22T10:00:00Z");
	ck_assert_uint_eq(list->slot_count, 1024);
	ck_assert_uint_eq(list->lease_ms, 5000);
	ck_assert_uint_eq(list->steady_lease_ms, 60000);
	ck_assert_uint_eq(list->op_timeout_ms, 1000);
	ck_assert_uint_eq(list->client_quorum, 10);
	ck_assert(list->registration_required);
	ck_assert_int_eq(list->isolation, LIST_ISOLATION_SERVE);
	ck_assert_str_eq(list->prefix, "shop:");
	ck_assert_uint_eq(list->coordinator, 0);
	ck_assert_uint_eq(list->agent_count, 2);
	ck_assert_str_eq(list->agents[1].name, "web01");
	ck_assert_str_eq(list->agents[1].address, "[fd00::2]:11280");
	ck_assert_mem_eq(list->agents[1].key, want->agents[1].key, LIST_HOST_KEY_BYTES);
	ck_assert_uint_eq(list->server_count, 3);
	ck_assert_str_eq(list->servers[1].name, "cache01");
	ck_assert_str_eq(list->servers[1].address, "10.0.1.2:11211");
	ck_assert_uint_eq(list->servers[1].weight, 100);
	ck_assert_uint_eq(list->servers[1].agent, 1);
	ck_assert(!list->servers[1].has_wipe);
	ck_assert(list->servers[2].has_wipe);
	ck_assert_uint_eq(list->servers[2].wipe, 7);
	ck_assert_mem_eq(list->slots, want->slots, 1024 * sizeof(uint16_t));
	document_hash(body, strlen(body), hash);
	ck_assert_mem_eq(list->hash, hash, sizeof(hash));
	ck_assert_uint_eq(list->document_bytes, strlen(body));
	ck_assert_mem_eq(list->document, body, strlen(body));
	list_free(list);
}
END_TEST

START_TEST(signatures_change_neither_hash_nor_list)
{
	struct sample_signer signer;
	struct list *plain = NULL, *list = NULL;
	char *document;

	signer_make(&signer, 1);
	document = text_sign(body, &signer);
	ck_assert_int_eq(list_parse(body, strlen(body), &plain, &failure), 0);
	ck_assert_int_eq(list_parse(document, strlen(document), &list, &failure), 0);
	ck_assert_mem_eq(list->hash, plain->hash, sizeof(list->hash));
	ck_assert_uint_eq(list->document_bytes, strlen(document));
	ck_assert_mem_eq(list->document, document, strlen(document));
	list_free(list);
	list_free(plain);
	free(document);
}
END_TEST

/* A server's line may go only with its slots, an agent's only with its servers: here none may. */
START_TEST(list_without_one_of_its_lines_is_refused)
{
	for (unsigned missing = 0; missing < line_count; missing++) {
		int order[LINES_MAX], count = 0;
		char *text;

		for (unsigned i = 0; i < line_count; i++)
			if (i != missing)
				order[count++] = (int)i;
		order[count] = -1;
		text = lines_join(order);
		if (strncmp(lines[missing], "prefix ", 7) == 0)
			ck_assert(accepts(text));
		else
			refuses(text, "line ");
		free(text);
	}
}
END_TEST

START_TEST(line_that_stands_twice_is_refused_wherever_it_stands)
{
	for (unsigned twice = 0; twice < line_count; twice++) {
		for (unsigned at = 0; at <= line_count; at++) {
			int order[LINES_MAX], count = 0;
			char *text;

			for (unsigned i = 0; i <= line_count; i++) {
				if (i == at)
					order[count++] = (int)twice;
				if (i < line_count)
					order[count++] = (int)i;
			}
			order[count] = -1;
			text = lines_join(order);
			refuses(text, "line ");
			free(text);
		}
	}
}
END_TEST

START_TEST(lines_in_another_order_are_refused)
{
	for (unsigned a = 0; a < line_count; a++) {
		for (unsigned b = a + 1; b < line_count; b++) {
			int order[LINES_MAX];
			char *text;

			for (unsigned i = 0; i < line_count; i++)
				order[i] = (int)(i == a ? b : i == b ? a : i);
			order[line_count] = -1;
			text = lines_join(order);
			if (same_keyword(a, b)) /* another list, not another spelling */
				ck_assert_msg(accepts(text), "%s", failure.text);
			else
				refuses(text, "line ");
			free(text);
		}
	}
}
END_TEST

START_TEST(every_beginning_of_a_list_is_refused)
{
	const size_t length = strlen(body);

	for (size_t bytes = 0; bytes < length; bytes++)
		refuses_bytes(body, bytes, "");
}
END_TEST

START_TEST(refusal_says_what_may_stand_there)
{
	static const struct {
		const char *from, *to, *reason;
	} edits[] = {
	    {"prefix shop:", "pre shop:",
	     "line 13: found `pre`: want `unaware-clients yes` or `unaware-poll MS` or "
	     "`prefix STRING` or `agent NAME ADDRESS key=KEY` here"},
	    {"coordinator web00", "coordinated web00",
	     "line 16: found `coordinated`: want `agent NAME ADDRESS key=KEY` or "
	     "`coordinator NAME` here"},
	    {"agent web00", "agend web00",
	     "line 14: found `agend`: want `agent NAME ADDRESS key=KEY` here"},
	    /* Over the bound of every line but the slots line. */
	    {"\nslots ", "\nslot ", "line 20: line of 2737 bytes"},
	    {"epoch 42\n", "epoch 42\nepoch 42\n", "line 4: found `epoch`: want `parent"},
	    {"epoch 42\n", "", "line 3: found `parent`: want `epoch N` here"},
	    {"epoch 42\n", "epoch 42\ncolour red\n", "line 4: found `colour`"},
	};

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char *text = text_replace(body, edits[i].from, edits[i].to);

		refuses(text, edits[i].reason);
		free(text);
	}
}
END_TEST

START_TEST(list_that_ends_early_says_what_is_missing)
{
	char *text = strndup(body, (size_t)(strstr(body, "\nslots ") + 1 - body));

	refuses(text, "line 20: the list ends here: want `server");
	refuses(text, "or `slots BASE64`");
	free(text);
}
END_TEST

START_TEST(nothing_follows_the_slots)
{
	static const char *const more[] = {"x\n", "\n", "slots AAAA\n", "# end\n"};
	char *text = NULL;

	ck_assert_int_gt(asprintf(&text, "%s%s", body, more[_i]), 0);
	refuses(text, "line 21: ");
	free(text);
}
END_TEST

START_TEST(blanks_are_single_and_inside)
{
	static const struct {
		const char *from, *to, *reason;
	} edits[] = {
	    {"epoch 42\n", "epoch 42 \n", "line 3: blank at the end"},
	    {"epoch 42\n", " epoch 42\n", "line 3: blank at the beginning"},
	    {"epoch 42\n", "epoch  42\n", "line 3: two blanks"},
	    {"epoch 42\n", "epoch\t42\n", "line 3: byte 0x09 at column 6"},
	    {"epoch 42\n", "epoch 42\r\n", "line 3: byte 0x0d at column 9"},
	    {"epoch 42\n", "epoch 42\n\n", "line 4: empty line"},
	    {"epoch 42\n", "epoch 42\n \n", "line 4: blank"},
	    {"epoch 42\n", "# the epoch\nepoch 42\n", "line 3: found `#`"},
	    {"epoch 42\n", "epoch 42 # now\n", "line 3: 4 words"},
	    {"epoch 42\n", "epoch 1 2 3 4 5 6 7 8 9 10\n", "line 3: "},
	    {"\nslots ", "\nslots  ", "line 20: two blanks"},
	};
	char *text = text_replace(body, edits[_i].from, edits[_i].to);

	refuses(text, edits[_i].reason);
	free(text);
}
END_TEST

START_TEST(byte_that_is_not_printable_ascii_is_refused_anywhere)
{
	static const unsigned char bad[] = {0x00, 0x01, 0x09, 0x0b, 0x0d, 0x1b,
					    0x7f, 0x80, 0xa0, 0xc3, 0xff};
	const size_t length = strlen(body);

	for (size_t i = 0; i < length; i++) {
		const char kept = body[i];

		for (size_t j = 0; j < sizeof(bad); j++) {
			body[i] = (char)bad[j];
			refuses_bytes(body, length,
				      i == length - 1 ? "does not end with a newline" : "line ");
		}
		body[i] = kept;
	}
}
END_TEST

START_TEST(line_over_its_bound_is_refused)
{
	char word[LIST_LINE_MAX + 2];
	char *text;

	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	text = text_replace(body, "cluster web", word);
	refuses(text, "line 2: line of 513 bytes: at most 512 are allowed");
	free(text);
	word[LIST_LINE_MAX] = '\0'; /* at the bound it is judged by what it says */
	text = text_replace(body, "cluster web", word);
	refuses(text, "line 2: found `wwww");
	free(text);
}
END_TEST

START_TEST(slots_line_over_its_bound_is_refused)
{
	const size_t chars = LIST_SLOTS_MAX * 2 / 3 * 4 + 8;
	char *text = malloc(strlen(body) + chars + 16);
	size_t length = strlen(body);

	memcpy(text, body, length);
	memcpy(text + length, "slots ", 6);
	memset(text + length + 6, 'A', chars);
	strcpy(text + length + 6 + chars, "\n");
	refuses(text, "line 21: line of 1747");
	free(text);
}
END_TEST

/* The largest list there can be: every bound reached at once, and still within 1 MiB. */
START_TEST(largest_list_fits_and_one_member_more_is_refused)
{
	static struct list list;
	char filler[LIST_NAME_MAX + 1];
	void *text = NULL;
	size_t bytes = 0;

	memset(filler, 'n', sizeof(filler));
	filler[LIST_NAME_MAX - 5] = '\0';
	list = sample.list;
	list.slot_count = LIST_SLOTS_MAX;
	list.agents = calloc(LIST_AGENTS_MAX + 1, sizeof(*list.agents));
	list.servers = calloc(LIST_SERVERS_MAX + 1, sizeof(*list.servers));
	list.giveups = calloc(LIST_SERVERS_MAX + 1, sizeof(*list.giveups));
	list.slots = calloc(list.slot_count, sizeof(*list.slots));
	for (uint32_t i = 0; i <= LIST_AGENTS_MAX; i++) {
		struct list_agent *agent = &list.agents[i];
		struct list_server *server = &list.servers[i];
		struct list_identity *gone = &list.giveups[i];

		(void)snprintf(agent->name, sizeof(agent->name), "%.58s.%04u", filler, i);
		(void)snprintf(agent->address, sizeof(agent->address),
			       "[2001:db8:1111:2222:3333:4444:5555:%x]:11280", 0x1000 + i);
		memcpy(agent->key, agent->name + LIST_NAME_MAX - LIST_HOST_KEY_BYTES,
		       LIST_HOST_KEY_BYTES);
		(void)snprintf(server->name, sizeof(server->name), "%.58s-%04u", filler, i);
		(void)snprintf(server->address, sizeof(server->address),
			       "[2001:db8:1111:2222:3333:4444:5556:%x]:11211", 0x1000 + i);
		(void)snprintf(gone->name, sizeof(gone->name), "%.58s_%04u", filler, i);
		(void)snprintf(gone->address, sizeof(gone->address),
			       "[2001:db8:1111:2222:3333:4444:5557:%x]:11211", 0x1000 + i);
		server->weight = LIST_WEIGHT_MAX;
		server->agent = i == LIST_SERVERS_MAX ? 0 : i;
		server->has_wipe = true;
		server->wipe = LIST_WIPE_MAX;
	}
	list.agent_count = LIST_AGENTS_MAX;
	list.server_count = LIST_SERVERS_MAX;
	list.giveup_count = LIST_SERVERS_MAX;
	list.slots[LIST_SLOTS_MAX - 1] = LIST_SERVERS_MAX - 1;
	ck_assert_msg(list_write(&list, &text, &bytes, &failure) == 0, "%s", failure.text);
	ck_assert_uint_lt(bytes, DOCUMENT_BYTES_MAX - 32 * 128);
	free(text);

	text = NULL;
	list.agent_count++;
	ck_assert_int_eq(list_write(&list, &text, &bytes, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "more than 1024 agents"));
	list.agent_count--;
	list.server_count++;
	ck_assert_int_eq(list_write(&list, &text, &bytes, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "more than 1024 servers"));
	list.server_count--;
	list.giveup_count++;
	ck_assert_int_eq(list_write(&list, &text, &bytes, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "more than 1024 giveup lines"));
	ck_assert_ptr_null(text);
	free(list.agents);
	free(list.servers);
	free(list.giveups);
	free(list.slots);
}
END_TEST

START_TEST(document_over_its_size_is_refused)
{
	struct list *list = NULL;

	ck_assert_int_eq(list_parse(body, (size_t)DOCUMENT_BYTES_MAX + 1, &list, &failure),
			 -EMSGSIZE);
	ck_assert_ptr_null(list);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("list_parse");
	TCase *tcase = tcase_create("list_parse");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, every_field_arrives);
	tcase_add_test(tcase, signatures_change_neither_hash_nor_list);
	tcase_add_test(tcase, list_without_one_of_its_lines_is_refused);
	tcase_add_test(tcase, line_that_stands_twice_is_refused_wherever_it_stands);
	tcase_add_test(tcase, lines_in_another_order_are_refused);
	tcase_add_test(tcase, every_beginning_of_a_list_is_refused);
	tcase_add_test(tcase, refusal_says_what_may_stand_there);
	tcase_add_test(tcase, list_that_ends_early_says_what_is_missing);
	tcase_add_loop_test(tcase, nothing_follows_the_slots, 0, 4);
	tcase_add_loop_test(tcase, blanks_are_single_and_inside, 0, 11);
	tcase_add_test(tcase, byte_that_is_not_printable_ascii_is_refused_anywhere);
	tcase_add_test(tcase, line_over_its_bound_is_refused);
	tcase_add_test(tcase, slots_line_over_its_bound_is_refused);
	tcase_add_test(tcase, largest_list_fits_and_one_member_more_is_refused);
	tcase_add_test(tcase, document_over_its_size_is_refused);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
