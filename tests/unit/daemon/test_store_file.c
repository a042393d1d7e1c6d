/* test_store_file.c - the register in a file: led from at once, on disk before it is said. */
#include "daemon/store_internal.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static struct state *state;
static struct event_base *base;
static struct store *store;

static struct {
	unsigned elected, lost, stored, refused, troubles;
	bool has_reg;
	struct reg reg;
	uint64_t until_ms;
	char leader[LIST_NAME_MAX + 1], why[FAILURE_BYTES], trouble[FAILURE_BYTES];
} said;

static void on_elected(void *context, const struct reg *reg, uint64_t until_ms)
{
	ck_assert_ptr_eq(context, &said);
	said.elected++;
	said.has_reg = reg != NULL;
	if (reg != NULL)
		said.reg = *reg;
	said.until_ms = until_ms;
}

static void on_lost(void *context, const char *why)
{
	(void)context;
	said.lost++;
	(void)snprintf(said.why, sizeof(said.why), "%s", why);
}

static void on_leader(void *context, const char *name)
{
	(void)context;
	(void)snprintf(said.leader, sizeof(said.leader), "%s", name);
}

static void on_stored(void *context, bool ok, const char *why)
{
	(void)context;
	said.stored += ok;
	said.refused += !ok;
	(void)snprintf(said.why, sizeof(said.why), "%s", why);
}

static void on_trouble(void *context, const char *why)
{
	(void)context;
	said.troubles++;
	(void)snprintf(said.trouble, sizeof(said.trouble), "%s", why);
}

static const struct store_events events = {
    .elected = on_elected,
    .lost = on_lost,
    .leader = on_leader,
    .stored = on_stored,
    .trouble = on_trouble,
};

static void state_begin(void)
{
	struct failure failure;

	ck_assert_msg(state_open(directory, &state, &failure) == 0, "%s", failure.text);
}

static void begin(void)
{
	const struct store_owner owner = {&events, &said};

	memset(&said, 0, sizeof(said));
	ck_assert_int_eq(store_open_file(state, "web01", base, &owner, &store, NULL), 0);
	ck_assert_uint_eq(said.elected, 0); /* only the loop speaks */
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void end(void)
{
	store_close(store);
	store = NULL;
}

static void set_up(void)
{
	strcpy(directory, "/tmp/mcroster-store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	base = event_base_new();
	state_begin();
}

static void tear_down(void)
{
	char command[128];

	end();
	state_close(state);
	event_base_free(base);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	ck_assert_int_eq(system(command), 0);
}

static struct reg reg_of(uint64_t term, uint64_t serial)
{
	struct reg reg = {.term = term, .serial = serial, .epoch = 1, .highest_epoch = 1};

	strcpy(reg.coordinator, "web01");
	return reg;
}

static void write_whole(uint64_t term, uint64_t serial)
{
	const struct reg reg = reg_of(term, serial);
	const unsigned before = said.stored;

	ck_assert_int_eq(store_write(store, &reg, NULL), 0);
	ck_assert_uint_eq(said.stored, before);
	ck_assert_int_eq(store_write(store, &reg, NULL), -EBUSY);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(said.stored, before + 1);
}

START_TEST(it_leads_at_once_and_for_ever)
{
	begin();
	ck_assert_uint_eq(said.elected, 1);
	ck_assert(!said.has_reg);
	ck_assert_uint_eq(said.until_ms, UINT64_MAX);
	ck_assert_str_eq(said.leader, "web01");
}
END_TEST

START_TEST(what_was_stored_is_there_after_a_restart)
{
	const struct reg same = reg_of(1, 2);

	begin();
	write_whole(1, 1);
	write_whole(1, 2);
	ck_assert_int_eq(store_write(store, &same, NULL), -ESTALE);
	end();
	begin();
	ck_assert(said.has_reg);
	ck_assert_uint_eq(said.reg.serial, 2);
}
END_TEST

START_TEST(a_store_that_fails_says_so_and_nothing_has_changed)
{
	const struct reg reg = reg_of(1, 2);
	char blocker[128];

	begin();
	write_whole(1, 1);
	/* A directory where the temporary file would be. */
	(void)snprintf(blocker, sizeof(blocker), "%s/.register.tmp", directory);
	ck_assert_int_eq(mkdir(blocker, 0700), 0);
	ck_assert_int_eq(store_write(store, &reg, NULL), 0);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(said.refused, 1);
	ck_assert(strstr(said.why, directory) != NULL);
	ck_assert_int_eq(rmdir(blocker), 0);
	write_whole(1, 2);
	ck_assert_uint_eq(said.stored, 2);
}
END_TEST

START_TEST(a_file_that_is_no_register_elects_nobody_until_it_is_one)
{
	uint8_t bytes[REGISTER_BYTES];
	const struct reg reg = reg_of(4, 4), none = reg_of(0, 0);

	ck_assert_int_eq(state_store(state, "register", "hello", 5, NULL), 0);
	begin();
	ck_assert_uint_eq(said.elected, 0);
	ck_assert(strstr(said.trouble, "register") != NULL);
	end();
	register_encode(&none, bytes);
	ck_assert_int_eq(state_store(state, "register", bytes, sizeof(bytes), NULL), 0);
	begin();
	ck_assert_uint_eq(said.elected, 0);
	register_encode(&reg, bytes);
	ck_assert_int_eq(state_store(state, "register", bytes, sizeof(bytes), NULL), 0);
	(void)event_base_loop(base, EVLOOP_ONCE); /* it tries again by itself */
	ck_assert_uint_eq(said.elected, 1);
	ck_assert_uint_eq(said.reg.term, 4);
	ck_assert_str_eq(said.trouble, "");
	ck_assert_uint_eq(said.troubles, 2);
}
END_TEST

START_TEST(a_resigned_store_writes_nothing_more)
{
	const struct reg reg = reg_of(1, 1);

	begin();
	store_resign(store);
	ck_assert_int_eq(store_write(store, &reg, NULL), -EAGAIN);
	ck_assert_uint_eq(said.lost, 0);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(said.lost, 1);
	ck_assert_str_eq(said.leader, "");
	ck_assert_uint_eq(said.elected, 1);
}
END_TEST

START_TEST(a_register_that_was_moved_away_elects_nobody_but_a_mover)
{
	const struct store_owner owner = {&events, &said};
	const struct reg reg = reg_of(3, 7);

	begin();
	write_whole(3, 7);
	ck_assert_int_eq(store->ops->write(store, &reg, true, NULL), 0);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert(store->ops->moved(store));
	end();
	begin();
	ck_assert_uint_eq(said.elected, 0);
	ck_assert(strstr(said.trouble, "moved away (at 3.7)") != NULL);
	end();
	memset(&said, 0, sizeof(said));
	ck_assert_int_eq(store_open_file_to_move(state, "web01", base, &owner, &store, NULL), 0);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(said.elected, 1);
	ck_assert(said.has_reg && store->ops->moved(store));
	ck_assert_int_eq(store->ops->write(store, &reg, false, NULL), 0);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	end();
	begin();
	ck_assert_uint_eq(said.reg.serial, 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_file");
	TCase *tcase = tcase_create("store_file");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, it_leads_at_once_and_for_ever);
	tcase_add_test(tcase, what_was_stored_is_there_after_a_restart);
	tcase_add_test(tcase, a_store_that_fails_says_so_and_nothing_has_changed);
	tcase_add_test(tcase, a_file_that_is_no_register_elects_nobody_until_it_is_one);
	tcase_add_test(tcase, a_resigned_store_writes_nothing_more);
	tcase_add_test(tcase, a_register_that_was_moved_away_elects_nobody_but_a_mover);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
