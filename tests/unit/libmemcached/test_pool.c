/* test_pool.c - the adapter beside two memcacheds: every command, in every phase, and each rule of
 * mcroster_memcached.h when a server or the agent does not do its part. */
#include "world.h"

#include <stdatomic.h>
#include <sys/wait.h>

#include "wire.h"

static struct mcr_pool_report report;
static struct mcr_pool_value value;

static struct mcr_pool_item item_of(const char *text)
{
	return (struct mcr_pool_item){.key = world.key,
				      .key_bytes = world.key_bytes,
				      .value = text,
				      .value_bytes = strlen(text),
				      .flags = 7};
}

static enum mcr_pool_status set(const char *text)
{
	const struct mcr_pool_item item = item_of(text);

	return mcr_pool_set(world.pool, &item, &report);
}

/* What a get says: the value, "" for an empty one, NULL for a miss. */
static const char *get(void)
{
	static char text[64];

	switch (mcr_pool_gets(world.pool, world.key, world.key_bytes, &value, &report)) {
	case MCR_POOL_OK:
		(void)snprintf(text, sizeof(text), "%.*s", (int)value.length,
			       value.bytes ? value.bytes : "");
		free(value.bytes);
		return text;
	case MCR_POOL_NOT_FOUND:
		return NULL;
	default:
		ck_abort_msg("get: %s: %s", mcr_pool_status_name(report.status), report.reason);
	}
}

#define IS(status, wanted)                                                                         \
	do {                                                                                       \
		const enum mcr_pool_status is_ = (status);                                         \
		ck_assert_msg(is_ == (wanted), "%s: %s (%s), want %s", #status,                    \
			      mcr_pool_status_name(is_), report.reason,                            \
			      mcr_pool_status_name(wanted));                                       \
	} while (0)

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static const enum mcr_phase moving[] = {MCR_PREPARE, MCR_COPY,	 MCR_SWITCH, MCR_SETTLE,
					MCR_DRAIN,   MCR_GIVEUP, MCR_UNWIND};
#define MOVING (sizeof(moving) / sizeof(*moving))

static bool at_new(enum mcr_phase phase)
{
	return phase >= MCR_SWITCH && phase <= MCR_GIVEUP;
}

/* ---- every command, where nothing moves ---- */

START_TEST(every_command_works)
{
	struct mcr_pool_item item = item_of("one");
	uint64_t number = 0;
	char *key = world.key;
	const size_t bytes = world.key_bytes;

	ck_assert(get() == NULL);
	IS(mcr_pool_replace(world.pool, &item, &report), MCR_POOL_NOT_STORED);
	IS(mcr_pool_append(world.pool, &item, &report), MCR_POOL_NOT_STORED);
	IS(mcr_pool_incr(world.pool, key, bytes, 1, &number, &report), MCR_POOL_NOT_FOUND);
	IS(mcr_pool_touch(world.pool, key, bytes, 60, &report), MCR_POOL_NOT_FOUND);
	IS(mcr_pool_delete(world.pool, key, bytes, &report), MCR_POOL_NOT_FOUND);
	IS(mcr_pool_add(world.pool, &item, &report), MCR_POOL_OK);
	IS(mcr_pool_add(world.pool, &item, &report), MCR_POOL_NOT_STORED);
	ck_assert_str_eq(get(), "one");
	ck_assert_uint_eq(value.flags, 7);
	ck_assert_uint_eq(report.plans, 1);
	ck_assert_uint_eq(report.steps, 1);
	item.value = "two";
	IS(mcr_pool_replace(world.pool, &item, &report), MCR_POOL_OK);
	item.value = "<<";
	item.value_bytes = 2;
	IS(mcr_pool_prepend(world.pool, &item, &report), MCR_POOL_OK);
	item.value = ">>";
	IS(mcr_pool_append(world.pool, &item, &report), MCR_POOL_OK);
	ck_assert_str_eq(get(), "<<two>>");
	IS(mcr_pool_incr(world.pool, key, bytes, 1, &number, &report), MCR_POOL_NOT_NUMBER);
	IS(set("41"), MCR_POOL_OK);
	IS(mcr_pool_incr(world.pool, key, bytes, 2, &number, &report), MCR_POOL_OK);
	ck_assert_uint_eq(number, 43);
	IS(mcr_pool_decr(world.pool, key, bytes, 3, &number, NULL), MCR_POOL_OK);
	ck_assert_uint_eq(number, 40);
	IS(mcr_pool_touch(world.pool, key, bytes, -1, &report), MCR_POOL_OK);
	ck_assert_msg(get() == NULL, "touch did not set the expiry");
	IS(set(""), MCR_POOL_OK);
	ck_assert_str_eq(get(), "");
	IS(mcr_pool_delete(world.pool, key, bytes, &report), MCR_POOL_OK);
	ck_assert(get() == NULL);
}
END_TEST

START_TEST(cas_stores_only_over_what_was_read)
{
	const struct mcr_pool_item item = item_of("mine");
	struct mcr_pool_token token;

	IS(set("first"), MCR_POOL_OK);
	(void)get();
	token = value.token;
	ck_assert_uint_ne(token.cas, 0);
	IS(mcr_pool_cas(world.pool, &item, &token, &report), MCR_POOL_OK);
	ck_assert_str_eq(get(), "mine");
	IS(mcr_pool_cas(world.pool, &item, &token, &report), MCR_POOL_EXISTS);
	IS(mcr_pool_delete(world.pool, item.key, item.key_bytes, &report), MCR_POOL_OK);
	IS(mcr_pool_cas(world.pool, &item, &token, &report), MCR_POOL_NOT_FOUND);
}
END_TEST

START_TEST(any_bytes_are_a_key)
{
	static const char *const keys[] = {"a b", "line\r\nbreak", "\x01\xff", " ", "\n"};
	char longest[250];
	struct mcr_pool_item item = {.value = "v", .value_bytes = 1};
	uint64_t number;

	memset(longest, 'k', sizeof(longest));
	longest[3] = ' ';
	for (unsigned i = 0; i < 6; i++) {
		item.key = i < 5 ? keys[i] : longest;
		item.key_bytes = i < 5 ? strlen(keys[i]) : sizeof(longest);
		IS(mcr_pool_set(world.pool, &item, &report), MCR_POOL_OK);
		IS(mcr_pool_gets(world.pool, item.key, item.key_bytes, &value, &report),
		   MCR_POOL_OK);
		free(value.bytes);
		IS(mcr_pool_add(world.pool, &item, &report), MCR_POOL_NOT_STORED);
		IS(mcr_pool_cas(world.pool, &item, &value.token, &report), MCR_POOL_OK);
		IS(mcr_pool_cas(world.pool, &item, &value.token, &report), MCR_POOL_EXISTS);
		IS(mcr_pool_delete(world.pool, item.key, item.key_bytes, &report), MCR_POOL_OK);
		IS(mcr_pool_replace(world.pool, &item, &report), MCR_POOL_NOT_STORED);
		IS(mcr_pool_append(world.pool, &item, &report), MCR_POOL_NOT_STORED);
		IS(mcr_pool_incr(world.pool, item.key, item.key_bytes, 1, &number, &report),
		   MCR_POOL_NOT_FOUND);
	}
	longest[3] = 'k';
	item.key = longest;
	IS(mcr_pool_set(world.pool, &item, &report), MCR_POOL_OK);
	item.key_bytes = 251;
	IS(mcr_pool_set(world.pool, &item, &report), MCR_POOL_REFUSED);
	ck_assert_int_eq(report.plan_error, MCR_BAD_KEY);
	IS(mcr_pool_get(world.pool, "", 0, &value, &report), MCR_POOL_REFUSED);
}
END_TEST

/* By every byte at every place, for keys as short and as long as there is another way for. */
START_TEST(a_key_of_printable_characters_alone_is_the_classic_protocols)
{
	char key[40];

	for (size_t bytes = 1; bytes <= sizeof(key); bytes++)
		for (size_t place = 0; place < bytes; place++)
			for (int byte = 0; byte < 256; byte++) {
				memset(key, place % 2 ? '!' : '~', bytes);
				key[place] = (char)byte;
				ck_assert_msg(
				    mcr_wire_protocol_for(key, bytes) ==
					(byte > 0x20 && byte < 0x7f ? WIRE_CLASSIC : WIRE_BINARY),
				    "byte 0x%02x at %zu of %zu", byte, place, bytes);
			}
}
END_TEST

/* Small ones are copied out of the handle's buffer, large ones come in their own. */
START_TEST(values_of_all_sizes_come_back_as_they_were_stored)
{
	static const size_t sizes[] = {1, 1023, 1024, 1025, 3, 70000, 2, 1000000, 0, 1024};
	static const char *const names[] = {"a-key", "a key"};
	const size_t room = 1000000 + 2 * sizeof(sizes) / sizeof(*sizes);
	char *bytes = malloc(room);

	for (size_t i = 0; i < room; i++)
		bytes[i] = (char)(i * 7 + i / 256);
	for (unsigned i = 0; i < 2 * sizeof(sizes) / sizeof(*sizes); i++) {
		const struct mcr_pool_item item = {.key = names[i % 2],
						   .key_bytes = 5,
						   .value = bytes + i,
						   .value_bytes = sizes[i / 2]};
		struct mcr_pool_value kept, again;

		IS(mcr_pool_set(world.pool, &item, &report), MCR_POOL_OK);
		IS(mcr_pool_get(world.pool, item.key, 5, &kept, &report), MCR_POOL_OK);
		/* What came first is not overwritten by what comes next on the connection. */
		IS(mcr_pool_get(world.pool, item.key, 5, &again, &report), MCR_POOL_OK);
		ck_assert_uint_eq(kept.length, sizes[i / 2]);
		ck_assert_uint_eq(again.length, sizes[i / 2]);
		ck_assert(kept.length == 0 || kept.bytes != again.bytes);
		ck_assert(memcmp(kept.length ? kept.bytes : "", bytes + i, kept.length) == 0);
		ck_assert(memcmp(again.length ? again.bytes : "", bytes + i, again.length) == 0);
		free(kept.bytes);
		free(again.bytes);
	}
	free(bytes);
}
END_TEST

START_TEST(an_item_that_is_too_large_is_a_failure_and_nothing_hangs)
{
	struct mcr_pool_item item = item_of("");

	item.value = calloc(1, 3u << 20);
	item.value_bytes = 3u << 20;
	IS(mcr_pool_set(world.pool, &item, &report), MCR_POOL_FAILED);
	free((void *)(uintptr_t)item.value);
	IS(set("small"), MCR_POOL_OK);
	ck_assert_str_eq(get(), "small");
}
END_TEST

/* ---- in every phase ---- */

START_TEST(set_leaves_one_copy_in_every_phase)
{
	for (unsigned i = 0; i < MOVING; i++) {
		world_publish(moving[i]);
		world_lie("old", "older");
		IS(set("new"), MCR_POOL_OK);
		world_lies(at_new(moving[i]) ? NULL : "new", at_new(moving[i]) ? "new" : NULL);
		ck_assert_str_eq(get(), "new");
		ck_assert_int_eq(report.phase, moving[i]);
	}
}
END_TEST

START_TEST(delete_leaves_none_in_every_phase)
{
	for (unsigned i = 0; i < MOVING; i++) {
		world_publish(moving[i]);
		world_lie(i % 2 ? "old" : NULL, i % 2 ? NULL : "older");
		IS(mcr_pool_delete(world.pool, world.key, world.key_bytes, &report), MCR_POOL_OK);
		world_lies(NULL, NULL);
		IS(mcr_pool_delete(world.pool, world.key, world.key_bytes, &report),
		   MCR_POOL_NOT_FOUND);
	}
}
END_TEST

/* What is read with "o" at O and "n" at N, with "o" alone, with "n" alone, with "o" and an empty
 * value at N, with an empty one at N alone. */
START_TEST(reads_follow_the_plan_in_every_phase)
{
	static const char *const at[5][2] = {
	    {"o", "n"}, {"o", NULL}, {NULL, "n"}, {"o", ""}, {NULL, ""}};
	static const char *const read[MCR_PHASE_COUNT][5] = {
	    [MCR_PREPARE] = {"o", "o", NULL, "o", NULL},
	    [MCR_COPY] = {"o", "o", "n", "o", NULL},
	    [MCR_SWITCH] = {"n", "o", "n", "o", NULL},
	    [MCR_SETTLE] = {"n", "o", "n", "o", NULL},
	    [MCR_DRAIN] = {"n", "o", "n", "o", NULL},
	    [MCR_GIVEUP] = {"n", NULL, "n", NULL, NULL},
	    [MCR_UNWIND] = {"o", "o", NULL, "o", NULL}};

	for (unsigned i = 0; i < MOVING; i++) {
		world_publish(moving[i]);
		for (unsigned k = 0; k < 5; k++) {
			struct mcr_pool_read reads[2] = {
			    {.key = world.key, .key_bytes = world.key_bytes},
			    {.key = world.key, .key_bytes = world.key_bytes}};
			const char *found;

			world_lie(at[k][0], at[k][1]);
			found = get();
			ck_assert_msg(same(found, read[moving[i]][k]), "%s, row %u: %s",
				      mcr_phase_name(moving[i]), k, found ? found : "nothing");
			mcr_pool_get_many(world.pool, reads, 2, NULL);
			for (unsigned r = 0; r < 2; r++) {
				IS(reads[r].status, found ? MCR_POOL_OK : MCR_POOL_NOT_FOUND);
				ck_assert_uint_eq(reads[r].value.length, found ? strlen(found) : 0);
				ck_assert(!reads[r].value.length ||
					  memcmp(reads[r].value.bytes, found,
						 reads[r].value.length) == 0);
				free(reads[r].value.bytes);
			}
		}
	}
}
END_TEST

START_TEST(add_looks_where_readers_look)
{
	const struct mcr_pool_item item = item_of("added");

	for (unsigned i = 0; i < MOVING; i++) {
		const enum mcr_phase phase = moving[i];
		/* In GIVEUP nobody reads at O, in PREPARE and UNWIND nobody at N. */
		const bool o_counts = phase != MCR_GIVEUP;

		world_publish(phase);
		world_lie("o", NULL);
		IS(mcr_pool_add(world.pool, &item, &report),
		   o_counts ? MCR_POOL_NOT_STORED : MCR_POOL_OK);
		ck_assert_str_eq(get(), o_counts ? "o" : "added");
		world_lie(NULL, "");
		IS(mcr_pool_add(world.pool, &item, &report), MCR_POOL_OK);
		ck_assert_str_eq(get(), "added");
		world_lies(at_new(phase) ? NULL : "added", at_new(phase) ? "added" : NULL);
	}
}
END_TEST

START_TEST(updates_go_to_the_owner_and_drop_the_other_copy)
{
	uint64_t number;

	for (unsigned i = 0; i < MOVING; i++) {
		const bool new = at_new(moving[i]);
		const struct mcr_pool_item item = item_of("!");

		world_publish(moving[i]);
		world_lie("10", "20");
		IS(mcr_pool_incr(world.pool, world.key, world.key_bytes, 1, &number, &report),
		   MCR_POOL_OK);
		ck_assert_uint_eq(number, new ? 21 : 11);
		world_lies(new ? NULL : "11", new ? "21" : NULL);
		world_lie("10", "20");
		IS(mcr_pool_replace(world.pool, &item, &report), MCR_POOL_OK);
		world_lies(new ? NULL : "!", new ? "!" : NULL);
	}
}
END_TEST

START_TEST(incr_on_a_reservation_is_a_miss)
{
	uint64_t number;

	world_publish(MCR_SWITCH);
	world_lie(NULL, "");
	IS(mcr_pool_incr(world.pool, world.key, world.key_bytes, 1, &number, &report),
	   MCR_POOL_NOT_FOUND);
}
END_TEST

START_TEST(append_stores_nothing_while_reservations_may_be_there)
{
	const struct mcr_pool_item item = item_of("!");

	for (unsigned i = 0; i < MOVING; i++) {
		const bool drops = moving[i] >= MCR_SETTLE && moving[i] <= MCR_GIVEUP;
		const bool new = at_new(moving[i]);

		world_publish(moving[i]);
		world_lie("o", "n");
		IS(mcr_pool_append(world.pool, &item, &report),
		   drops ? MCR_POOL_NOT_STORED : MCR_POOL_OK);
		world_lies(drops || new ? NULL : "o!", drops || !new ? NULL : "n!");
	}
}
END_TEST

START_TEST(touch_reads_while_the_key_moves)
{
	for (unsigned i = 0; i < MOVING; i++) {
		world_publish(moving[i]);
		world_lie("o", "n");
		IS(mcr_pool_touch(world.pool, world.key, world.key_bytes, -1, &report),
		   MCR_POOL_OK);
		world_lies("o", "n");
		world_lie(NULL, NULL);
		IS(mcr_pool_touch(world.pool, world.key, world.key_bytes, 60, &report),
		   MCR_POOL_NOT_FOUND);
	}
}
END_TEST

START_TEST(a_cas_token_is_good_at_its_server_alone)
{
	const struct mcr_pool_item item = item_of("mine");
	struct mcr_pool_token token;

	world_publish(MCR_COPY);
	world_lie("o", NULL);
	ck_assert_str_eq(get(), "o");
	token = value.token;
	world_publish(MCR_SWITCH);
	world_lie("o", "n");
	/* The number may well be one that the other server has given out too. */
	ck_assert_str_eq(get(), "n");
	token.cas = value.token.cas;
	IS(mcr_pool_cas(world.pool, &item, &token, &report), MCR_POOL_EXISTS);
	world_lies("o", "n");
	IS(mcr_pool_cas(world.pool, &item, &value.token, &report), MCR_POOL_OK);
	world_lies(NULL, "mine");
}
END_TEST

/* As after two changes: the value has moved away, and has not come back yet. */
START_TEST(a_cas_of_a_value_that_has_gone_removes_nothing)
{
	static const enum mcr_phase phases[] = {MCR_COPY, MCR_SWITCH, MCR_SETTLE, MCR_DRAIN};
	static const char *const left[] = {NULL, ""};
	const struct mcr_pool_item item = item_of("mine");
	const bool at_new = phases[_i] != MCR_COPY;
	struct mcr_pool_token token;

	world_publish(phases[_i]);
	for (unsigned i = 0; i < 2; i++) {
		world_lie(at_new ? NULL : "was", at_new ? "was" : NULL);
		ck_assert_str_eq(get(), "was");
		token = value.token;
		world_lie(at_new ? "is" : left[i], at_new ? left[i] : "is");
		IS(mcr_pool_cas(world.pool, &item, &token, &report), MCR_POOL_EXISTS);
		world_lies(at_new ? "is" : left[i], at_new ? left[i] : "is");
		world_lie(NULL, NULL);
		IS(mcr_pool_cas(world.pool, &item, &token, &report), MCR_POOL_NOT_FOUND);
	}
}
END_TEST

/* ---- many at once ---- */

#define MANY 300u

START_TEST(many_reads_each_get_their_own_answer)
{
	static char keys[MANY][24];
	static struct mcr_pool_read reads[MANY];
	char text[24];

	for (unsigned round = 0; round < 3; round++) {
		const enum mcr_phase phase = round == 0	  ? MCR_STEADY
					     : round == 1 ? MCR_COPY
							  : MCR_DRAIN;

		world_publish(phase);
		for (unsigned i = 0; i < MANY; i++) {
			struct mcr_pool_item item = {.key = keys[i], .flags = i};

			/* Some are there twice, some not at all, some go over the other protocol.
			 */
			(void)snprintf(keys[i], sizeof(keys[i]), i % 11 ? "many-%u" : "many %u",
				       i % 10 == 9 ? i - 1 : i);
			item.key_bytes = strlen(keys[i]);
			(void)snprintf(text, sizeof(text), "value of %s", keys[i]);
			item.value = text;
			item.value_bytes = strlen(text);
			reads[i] = (struct mcr_pool_read){
			    .key = keys[i], .key_bytes = item.key_bytes, .wants_token = 1};
			if (i % 7 == 0)
				(void)mcr_pool_delete(world.pool, item.key, item.key_bytes, NULL);
			else
				IS(mcr_pool_set(world.pool, &item, &report), MCR_POOL_OK);
		}
		mcr_pool_get_many(world.pool, reads, MANY, &report);
		IS(report.status, MCR_POOL_OK);
		for (unsigned i = 0; i < MANY; i++) {
			struct mcr_pool_value one;

			IS(mcr_pool_gets(world.pool, keys[i], strlen(keys[i]), &one, &report),
			   reads[i].status);
			if (reads[i].status == MCR_POOL_OK) {
				(void)snprintf(text, sizeof(text), "value of %s", keys[i]);
				ck_assert_uint_eq(reads[i].value.length, strlen(text));
				ck_assert_mem_eq(reads[i].value.bytes, text, strlen(text));
				ck_assert_uint_eq(reads[i].value.token.cas, one.token.cas);
				ck_assert_uint_eq(reads[i].value.token.server_id,
						  one.token.server_id);
				free(reads[i].value.bytes);
				free(one.bytes);
			}
		}
	}
}
END_TEST

static int answer_miss(struct played *played, const char *line)
{
	play_say(played, strncmp(line, "get", 3) == 0	? "END\r\n"
			 : strncmp(line, "set", 3) == 0 ? "STORED\r\n"
							: "NOT_FOUND\r\n");
	return 0;
}

/* What stays asks O in the first round; what moves asks N, then O, then N again. */
START_TEST(many_reads_are_one_request_for_each_server_and_step)
{
	static const enum mcr_phase falling_back[] = {MCR_SWITCH, MCR_SETTLE, MCR_DRAIN};
	static char keys[100][24];
	struct mcr_pool_read reads[100];
	struct played played[2];

	play_begin(&played[O], O, answer_miss);
	play_begin(&played[N], N, answer_miss);
	for (unsigned k = 0; k < 3; k++) {
		unsigned at_n = 0;

		world_publish(falling_back[k]);
		for (unsigned i = 0; i < 100; i++) {
			reads[i] = (struct mcr_pool_read){.key = keys[i]};
			reads[i].key_bytes =
			    (size_t)snprintf(keys[i], sizeof(keys[i]), "batch-%u", i);
		}
		mcr_pool_get_many(world.pool, reads, 100, &report);
		for (unsigned i = 0; i < 100; i++) {
			IS(reads[i].status, MCR_POOL_NOT_FOUND);
			at_n += reads[i].steps == 3;
		}
		ck_assert_uint_gt(at_n, 20);
		ck_assert_uint_lt(at_n, 80);
		ck_assert_uint_eq(played[N].commands[SAID_GET], 2 * (k + 1));
		ck_assert_uint_eq(played[O].commands[SAID_GET], 2 * (k + 1));
	}
	play_end(&played[O]);
	play_end(&played[N]);
}
END_TEST

START_TEST(a_server_that_hangs_costs_the_others_nothing)
{
	static char keys[40][24];
	struct mcr_pool_read reads[40];
	unsigned failed = 0;

	world_publish(MCR_SWITCH);
	for (unsigned i = 0; i < 40; i++) {
		struct mcr_pool_item item = {.key = keys[i], .value = "v", .value_bytes = 1};

		item.key_bytes = (size_t)snprintf(keys[i], sizeof(keys[i]), "hang-%u", i);
		reads[i] = (struct mcr_pool_read){.key = keys[i], .key_bytes = item.key_bytes};
		IS(mcr_pool_set(world.pool, &item, &report), MCR_POOL_OK);
	}
	world_stop(N);
	for (unsigned round = 0; round < 2; round++) {
		mcr_pool_get_many(world.pool, reads, 40, &report);
		failed = 0;
		for (unsigned i = 0; i < 40; i++) {
			IS(reads[i].status, reads[i].steps == 1 ? MCR_POOL_OK : MCR_POOL_FAILED);
			failed += reads[i].status == MCR_POOL_FAILED;
			free(reads[i].value.bytes);
		}
		ck_assert_uint_gt(failed, 5);
	}
	world_go_on(N);
}
END_TEST

#define LARGE_CHUNKS 24u

/* A value that no socket's buffer holds, and that comes slower than the last millisecond allows. */
static int answer_large(struct played *played, const char *line)
{
	static char chunk[(1u << 20) + 1];
	char head[300], key[251];

	ck_assert_int_eq(sscanf(line, "get %250s", key), 1);
	(void)snprintf(head, sizeof(head), "VALUE %s 0 %u\r\n", key, LARGE_CHUNKS << 20);
	play_say(played, head);
	memset(chunk, 'x', sizeof(chunk) - 1);
	for (unsigned i = 0; i < LARGE_CHUNKS; i++) {
		play_say(played, chunk);
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	play_say(played, "\r\nEND\r\n");
	return 0;
}

/* Whichever of the two is asked first: what comes from one is taken while the other is mute. */
START_TEST(answers_are_taken_as_they_come)
{
	char stays[256];
	struct mcr_pool_read reads[2] = {[N] = {.key = world.key, .key_bytes = world.key_bytes},
					 [O] = {.key = stays, .key_bytes = toy_key(stays, false)}};

	for (unsigned mute = 0; mute < 2; mute++) {
		struct played played[2];

		play_begin(&played[mute], mute, NULL);
		play_begin(&played[!mute], !mute, answer_large);
		world_publish(MCR_GIVEUP);
		mcr_pool_get_many(world.pool, reads, 2, &report);
		IS(reads[mute].status, MCR_POOL_FAILED);
		IS(reads[!mute].status, MCR_POOL_OK);
		ck_assert_uint_eq(reads[!mute].value.length, LARGE_CHUNKS << 20);
		free(reads[!mute].value.bytes);
		play_end(&played[mute]);
		play_end(&played[!mute]);
	}
}
END_TEST

/* ---- servers that do not answer ---- */

START_TEST(a_read_goes_on_to_the_next_server_when_one_fails)
{
	world_publish(MCR_SWITCH);
	world_lie("o", NULL);
	world_stop(N);
	ck_assert_str_eq(get(), "o");
	world_go_on(N);
	world_publish(MCR_COPY);
	world_lie(NULL, "n");
	world_stop(O);
	ck_assert_str_eq(get(), "n");
	world_go_on(O);
}
END_TEST

START_TEST(a_read_that_failed_and_found_nothing_is_no_miss)
{
	world_publish(MCR_SWITCH);
	world_lie(NULL, NULL);
	world_stop(N);
	IS(mcr_pool_get(world.pool, world.key, world.key_bytes, &value, &report), MCR_POOL_FAILED);
	ck_assert_ptr_nonnull(strstr(report.reason, "get at 127.0.0.1:"));
	/* Nor is it one to an add: what is there must not be overwritten. */
	const struct mcr_pool_item item = item_of("added");
	IS(mcr_pool_add(world.pool, &item, &report), MCR_POOL_FAILED);
	world_go_on(N);
	world_lies(NULL, NULL);
}
END_TEST

static int answer_reset(struct played *played, const char *line)
{
	(void)played;
	(void)line;
	return PLAY_RESET;
}

static int answer_close(struct played *played, const char *line)
{
	(void)played;
	(void)line;
	return PLAY_CLOSE;
}

static int answer_garbage(struct played *played, const char *line)
{
	(void)line;
	play_say(played, "VALUE someone-elses-key 0 1 5\r\nx\r\nEND\r\n");
	return 0;
}

static int answer_error(struct played *played, const char *line)
{
	(void)line;
	play_say(played, "SERVER_ERROR busy\r\n");
	return 0;
}

START_TEST(a_connection_that_breaks_is_no_miss)
{
	int (*const ways[])(struct played *, const char *) = {answer_reset, answer_close,
							      answer_garbage, answer_error};

	for (unsigned i = 0; i < 4; i++) {
		struct mcr_pool_read reads[2] = {{.key = world.key, .key_bytes = world.key_bytes},
						 {.key = world.key, .key_bytes = world.key_bytes}};
		struct played played;

		play_begin(&played, O, ways[i]);
		world_publish(MCR_STEADY);
		IS(mcr_pool_get(world.pool, world.key, world.key_bytes, &value, &report),
		   MCR_POOL_FAILED);
		mcr_pool_get_many(world.pool, reads, 2, &report);
		IS(reads[0].status, MCR_POOL_FAILED);
		IS(reads[1].status, MCR_POOL_FAILED);
		ck_assert_uint_eq(played.connections, 2);
		play_end(&played);
	}
}
END_TEST

START_TEST(a_time_out_closes_by_a_reset_and_the_next_use_connects_anew)
{
	struct played played;

	play_begin(&played, O, NULL);
	world_publish(MCR_STEADY);
	agent_begin(MCR_CLIENTS_OWED, 0);
	IS(set("lost"), MCR_POOL_FAILED);
	WAIT_FOR(played.ended == 1);
	ck_assert(played.ended_by_reset);
	IS(mcr_pool_get(world.pool, world.key, world.key_bytes, &value, &report), MCR_POOL_FAILED);
	WAIT_FOR(played.ended == 2);
	ck_assert(played.ended_by_reset);
	ck_assert_uint_eq(played.connections, 2);
	agent_end();
	play_end(&played);
}
END_TEST

START_TEST(a_first_step_that_fails_is_the_callers_and_the_second_is_sent)
{
	world_publish(MCR_COPY);
	world_lie(NULL, "older");
	world_stop(O);
	IS(set("new"), MCR_POOL_FAILED);
	ck_assert_uint_eq(report.given_up_at, 1000);
	ck_assert_uint_eq(report.owed, 0);
	ck_assert_ptr_null(world_at(N, world.key));
	world_go_on(O);
	world_publish(MCR_SETTLE);
	world_lie("old", "older");
	world_stop(O);
	IS(set("new"), MCR_POOL_FAILED);
	ck_assert_uint_eq(report.given_up_delete, 1);
	ck_assert_str_eq(world_at(N, world.key), "new");
	world_go_on(O);
}
END_TEST

START_TEST(what_cannot_be_deleted_is_owed_not_done)
{
	char key[256], server[64];

	agent_begin(MCR_CLIENTS_OWED, 0);
	world_publish(MCR_SWITCH);
	world_lie("old", NULL);
	world_stop(O);
	IS(set("new"), MCR_POOL_OWED);
	ck_assert_uint_eq(report.owed, 1);
	ck_assert_str_eq(world_at(N, world.key) ? world_at(N, world.key) : "", "");
	ck_assert_uint_eq(agent_owed(key, server), 1);
	ck_assert_str_eq(key, world.key);
	ck_assert_str_eq(server, "cache00");
	IS(mcr_pool_delete(world.pool, world.key, world.key_bytes, &report), MCR_POOL_OWED);
	ck_assert_uint_eq(agent_owed(key, server), 2);
	world_go_on(O);
	world_publish(MCR_STEADY);
	world_stop(O);
	IS(mcr_pool_delete(world.pool, world.key, world.key_bytes, &report), MCR_POOL_OWED);
	ck_assert_uint_eq(agent_owed(key, server), 3);
	world_go_on(O);
	agent_end();
}
END_TEST

START_TEST(what_the_agent_refuses_is_incomplete)
{
	agent_begin(MCR_CLIENTS_REFUSED, MCR_CLIENTS_FULL);
	world_publish(MCR_SWITCH);
	world_lie("old", NULL);
	world_stop(O);
	IS(set("new"), MCR_POOL_INCOMPLETE);
	ck_assert_uint_eq(report.owed, 0);
	ck_assert_ptr_nonnull(strstr(report.reason, "owe: "));
	world_go_on(O);
	agent_end();
}
END_TEST

static void *go_on_later(void *context)
{
	(void)context;
	nanosleep(&(struct timespec){.tv_nsec = OP_TIMEOUT_MS * 3 * UINT64_C(1000000) % 1000000000,
				     .tv_sec = OP_TIMEOUT_MS * 3 / 1000},
		  NULL);
	world_go_on(O);
	return NULL;
}

START_TEST(without_an_agent_it_is_tried_again_until_it_succeeds)
{
	pthread_t later;

	world_publish(MCR_SWITCH);
	world_lie("old", NULL);
	world_stop(O);
	ck_assert_int_eq(pthread_create(&later, NULL, go_on_later, NULL), 0);
	IS(set("new"), MCR_POOL_OK);
	ck_assert_uint_eq(report.invalidated, 1);
	pthread_join(later, NULL);
	world_lies(NULL, NULL);
}
END_TEST

/* ---- generations that come out meanwhile ---- */

static struct {
	enum mcr_phase phase;
	uint64_t retire_ns;
	bool done;
} publication;

/* The first command is answered when another generation is out. */
static int answer_publishing(struct played *played, const char *line)
{
	if (!publication.done)
		world_publish_retire(publication.phase, publication.retire_ns);
	publication.done = true;
	if (strncmp(line, "get", 3) == 0)
		play_say(played, "END\r\n");
	else
		play_say(played, strncmp(line, "set", 3) == 0 ? "STORED\r\n" : "DELETED\r\n");
	return 0;
}

START_TEST(a_write_that_overran_is_made_good_by_deletes)
{
	struct played played;

	world_put(N, world.key, "older");
	play_begin(&played, O, answer_publishing);
	publication.phase = MCR_COPY;
	publication.retire_ns = 1;
	world_publish(MCR_PREPARE);
	IS(set("new"), MCR_POOL_OK);
	ck_assert_uint_eq(report.invalidated, 1);
	ck_assert_uint_eq(played.commands[SAID_SET], 1);
	/* At the plan's servers, then by the rule of the present phase. */
	ck_assert_uint_eq(played.commands[SAID_DELETE], 2);
	ck_assert_ptr_null(world_at(N, world.key));
	play_end(&played);
}
END_TEST

START_TEST(a_read_that_overran_is_thrown_away)
{
	struct played played;

	world_put(N, world.key, "n");
	play_begin(&played, O, answer_publishing);
	publication.phase = MCR_SWITCH;
	publication.retire_ns = 1;
	world_publish(MCR_PREPARE);
	ck_assert_str_eq(get(), "n");
	ck_assert_uint_eq(report.plans, 2);
	play_end(&played);
}
END_TEST

START_TEST(a_miss_while_the_generation_moves_on_is_read_again_once)
{
	struct played played;

	play_begin(&played, O, answer_publishing);
	publication.phase = MCR_STEADY;
	publication.retire_ns = UINT64_MAX;
	world_publish(MCR_STEADY);
	ck_assert(get() == NULL);
	ck_assert_uint_eq(report.plans, 2);
	ck_assert_uint_eq(played.commands[SAID_GET], 2);
	play_end(&played);
}
END_TEST

START_TEST(a_step_that_is_too_late_is_not_sent)
{
	static struct played played[2];

	play_begin(&played[O], O, answer_publishing);
	play_begin(&played[N], N, answer_miss);
	publication.phase = MCR_SETTLE;
	publication.retire_ns = 1;
	world_publish(MCR_SETTLE);
	/* The delete at O is in, but the write at N is too late: it is planned again. */
	IS(set("new"), MCR_POOL_OK);
	ck_assert_uint_eq(played[N].commands[SAID_SET], 1);
	ck_assert_uint_eq(report.plans, 3);
	ck_assert_uint_eq(played[N].commands[SAID_DELETE], 2);
	play_end(&played[O]);
	play_end(&played[N]);
}
END_TEST

/* ---- threads and processes ---- */

#define THREADS 6u
#define TURNS	400u

static void *count_up(void *context)
{
	static const char counter[] = "counter";
	struct mcr_pool_item own = {.value = "mine", .value_bytes = 4};
	char key[24];

	own.key = key;
	own.key_bytes = (size_t)snprintf(key, sizeof(key), "own-%p", context);
	for (unsigned i = 0; i < TURNS; i++) {
		struct mcr_pool_value got;

		ck_assert_int_eq(mcr_pool_incr(world.pool, counter, 7, 1, NULL, NULL), MCR_POOL_OK);
		ck_assert_int_eq(mcr_pool_set(world.pool, &own, NULL), MCR_POOL_OK);
		ck_assert_int_eq(mcr_pool_get(world.pool, key, own.key_bytes, &got, NULL),
				 MCR_POOL_OK);
		ck_assert_mem_eq(got.bytes, "mine", 4);
		free(got.bytes);
	}
	return NULL;
}

START_TEST(threads_share_a_pool)
{
	const struct mcr_pool_item zero = {
	    .key = "counter", .key_bytes = 7, .value = "0", .value_bytes = 1};
	pthread_t threads[THREADS];
	char names[THREADS];
	uint64_t number;

	IS(mcr_pool_set(world.pool, &zero, &report), MCR_POOL_OK);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count_up, &names[i]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	IS(mcr_pool_incr(world.pool, "counter", 7, 1, &number, &report), MCR_POOL_OK);
	ck_assert_uint_eq(number, THREADS * TURNS + 1);
}
END_TEST

START_TEST(a_child_leaves_its_parents_connections_alone)
{
	struct played played;
	int status;

	play_begin(&played, O, answer_miss);
	world_publish(MCR_STEADY);
	ck_assert(get() == NULL);
	const pid_t child = fork();
	if (child == 0) {
		/* The played server takes one connection at a time: a second one is not heard. */
		struct mcr_pool_value got;

		(void)mcr_pool_get(world.pool, world.key, world.key_bytes, &got, &report);
		mcr_pool_free(world.pool);
		_exit(report.status == MCR_POOL_FAILED ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert(get() == NULL);
	ck_assert_uint_eq(played.connections, 1);
	ck_assert_uint_eq(played.commands[SAID_GET], 2);
	play_end(&played);
}
END_TEST

/* ---- handles of one's own ---- */

static unsigned prepared;

static memcached_return_t prepare(void *context, const struct mcr_server *server, int binary,
				  memcached_st *handle)
{
	prepared++;
	ck_assert_ptr_eq(context, &prepared);
	ck_assert_str_eq(server->name, "cache00");
	/* What would break the rules is taken back. */
	(void)memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_NO_BLOCK, 0);
	(void)memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_BUFFER_REQUESTS, 1);
	(void)memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_NOREPLY, 1);
	(void)memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, !binary);
	return MEMCACHED_SUCCESS;
}

START_TEST(a_handle_can_be_prepared_but_not_against_the_rules)
{
	const struct mcr_pool_options options = {.prepare = prepare, .context = &prepared};
	struct mcr_pool *pool;
	struct played played;

	ck_assert_int_eq(mcr_pool_new(world.mcr, &options, &pool), MCR_OK);
	const struct mcr_pool_item item = item_of("v");
	IS(mcr_pool_set(pool, &item, &report), MCR_POOL_OK);
	ck_assert_uint_eq(prepared, 1);
	ck_assert_str_eq(world_at(O, world.key), "v");
	play_begin(&played, O, NULL);
	world_publish(MCR_STEADY);
	IS(mcr_pool_get(pool, world.key, world.key_bytes, &value, &report), MCR_POOL_FAILED);
	WAIT_FOR(played.ended == 1);
	ck_assert(played.ended_by_reset);
	play_end(&played);
	mcr_pool_free(pool);
}
END_TEST

static memcached_return_t prepare_fails(void *context, const struct mcr_server *server, int binary,
					memcached_st *handle)
{
	(void)context;
	(void)server;
	(void)binary;
	(void)handle;
	return MEMCACHED_AUTH_FAILURE;
}

START_TEST(a_handle_that_cannot_be_prepared_is_a_failure)
{
	const struct mcr_pool_options options = {.prepare = prepare_fails};
	const struct mcr_pool_item item = item_of("v");
	struct mcr_pool *pool;

	ck_assert_int_eq(mcr_pool_new(world.mcr, &options, &pool), MCR_OK);
	IS(mcr_pool_set(pool, &item, &report), MCR_POOL_FAILED);
	IS(mcr_pool_get(pool, world.key, world.key_bytes, &value, &report), MCR_POOL_FAILED);
	mcr_pool_free(pool);
}
END_TEST

START_TEST(a_connection_that_nobody_uses_is_closed)
{
	struct played played;

	play_begin(&played, N, answer_miss);
	world_publish(MCR_SWITCH);
	IS(mcr_pool_delete(world.pool, world.key, world.key_bytes, &report), MCR_POOL_NOT_FOUND);
	ck_assert_uint_eq(played.connections, 1);
	for (unsigned i = 0; i < 18; i++) {
		world_publish(MCR_STEADY);
		ck_assert(get() == NULL);
	}
	WAIT_FOR(played.ended == 1);
	play_end(&played);
}
END_TEST

static TCase *case_of(Suite *suite, const char *name)
{
	TCase *tests = tcase_create(name);

	tcase_add_checked_fixture(tests, world_begin, world_end);
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	return tests;
}

/* The planted faults of tests/mutants name the case that sees them. */
int main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tests;

	tests = case_of(suite, "commands");
	tcase_add_test(tests, every_command_works);
	tcase_add_test(tests, cas_stores_only_over_what_was_read);
	tcase_add_test(tests, any_bytes_are_a_key);
	tcase_add_test(tests, a_key_of_printable_characters_alone_is_the_classic_protocols);
	tcase_add_test(tests, values_of_all_sizes_come_back_as_they_were_stored);
	tcase_add_test(tests, an_item_that_is_too_large_is_a_failure_and_nothing_hangs);
	tests = case_of(suite, "phases");
	tcase_add_test(tests, set_leaves_one_copy_in_every_phase);
	tcase_add_test(tests, delete_leaves_none_in_every_phase);
	tcase_add_test(tests, reads_follow_the_plan_in_every_phase);
	tcase_add_test(tests, add_looks_where_readers_look);
	tcase_add_test(tests, updates_go_to_the_owner_and_drop_the_other_copy);
	tcase_add_test(tests, incr_on_a_reservation_is_a_miss);
	tcase_add_test(tests, append_stores_nothing_while_reservations_may_be_there);
	tcase_add_test(tests, touch_reads_while_the_key_moves);
	tcase_add_test(tests, a_cas_token_is_good_at_its_server_alone);
	tcase_add_loop_test(tests, a_cas_of_a_value_that_has_gone_removes_nothing, 0, 4);
	tests = case_of(suite, "many");
	tcase_add_test(tests, many_reads_each_get_their_own_answer);
	tcase_add_test(tests, many_reads_are_one_request_for_each_server_and_step);
	tcase_add_test(tests, a_server_that_hangs_costs_the_others_nothing);
	tcase_add_test(tests, answers_are_taken_as_they_come);
	tests = case_of(suite, "failures");
	tcase_add_test(tests, a_read_goes_on_to_the_next_server_when_one_fails);
	tcase_add_test(tests, a_read_that_failed_and_found_nothing_is_no_miss);
	tcase_add_test(tests, a_connection_that_breaks_is_no_miss);
	tcase_add_test(tests, a_time_out_closes_by_a_reset_and_the_next_use_connects_anew);
	tcase_add_test(tests, a_first_step_that_fails_is_the_callers_and_the_second_is_sent);
	tests = case_of(suite, "owed");
	tcase_add_test(tests, what_cannot_be_deleted_is_owed_not_done);
	tcase_add_test(tests, what_the_agent_refuses_is_incomplete);
	tcase_add_test(tests, without_an_agent_it_is_tried_again_until_it_succeeds);
	tests = case_of(suite, "generations");
	tcase_add_test(tests, a_write_that_overran_is_made_good_by_deletes);
	tcase_add_test(tests, a_read_that_overran_is_thrown_away);
	tcase_add_test(tests, a_miss_while_the_generation_moves_on_is_read_again_once);
	tcase_add_test(tests, a_step_that_is_too_late_is_not_sent);
	tests = case_of(suite, "sharing");
	tcase_add_test(tests, threads_share_a_pool);
	tcase_add_test(tests, a_child_leaves_its_parents_connections_alone);
	tests = case_of(suite, "handles");
	tcase_add_test(tests, a_handle_can_be_prepared_but_not_against_the_rules);
	tcase_add_test(tests, a_handle_that_cannot_be_prepared_is_a_failure);
	tcase_add_test(tests, a_connection_that_nobody_uses_is_closed);
	return toy_run(suite);
}
