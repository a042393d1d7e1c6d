/* test_register_value.c - the register as text: one spelling, everything else refused by name. */
#include "core/register_value.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct reg reg;
static char text[REGISTER_VALUE_BYTES];
static size_t length;

static void set_up(void)
{
	memset(&reg, 0, sizeof(reg));
	reg.term = UINT64_MAX;
	reg.serial = 7;
	reg.epoch = 42;
	reg.next_epoch = 43;
	reg.highest_epoch = 43;
	reg.phase = PHASE_COPY;
	reg.copied = true;
	memset(reg.active, 1, sizeof(reg.active));
	memset(reg.pending, 2, sizeof(reg.pending));
	strcpy(reg.coordinator, "web01");
	length = register_value_write(&reg, "web", false, text);
}

static int read_back(const char *value, size_t bytes, struct reg *got, bool *moved,
		     struct failure *failure)
{
	/* Of exactly this length, so that a sanitizer sees a byte too many. */
	char *exact = malloc(bytes > 0 ? bytes : 1);
	int error;

	memcpy(exact, value, bytes);
	error = register_value_read(exact, bytes, "web", got, moved, failure);
	free(exact);
	return error;
}

START_TEST(what_is_written_is_read_again)
{
	struct failure failure;
	struct reg got;
	bool moved = true;

	ck_assert_uint_eq(length, strlen(text));
	ck_assert_int_eq(strncmp(text, "mcroster-register 1 web\n", 24), 0);
	ck_assert_int_eq(read_back(text, length, &got, &moved, &failure), 0);
	ck_assert(!moved);
	ck_assert_mem_eq(got.active, reg.active, sizeof(reg.active));
	ck_assert_int_eq(register_compare(&got, &reg), 0);
	ck_assert_str_eq(got.coordinator, "web01");
	length = register_value_write(&reg, "web", true, text);
	ck_assert_int_eq(read_back(text, length, &got, &moved, &failure), 0);
	ck_assert(moved);
}
END_TEST

START_TEST(the_longest_name_fits)
{
	char name[LIST_NAME_MAX + 1];
	struct failure failure;
	struct reg got;
	bool moved;

	memset(name, 'n', LIST_NAME_MAX);
	name[LIST_NAME_MAX] = '\0';
	length = register_value_write(&reg, name, true, text);
	ck_assert_int_eq(register_value_read(text, length, name, &got, &moved, &failure), 0);
}
END_TEST

START_TEST(every_cut_and_every_changed_byte_is_noticed)
{
	char other[REGISTER_VALUE_BYTES];
	struct failure failure;
	struct reg got = {.term = 99};
	bool moved;

	for (size_t cut = 0; cut < length; cut++)
		ck_assert_int_lt(read_back(text, cut, &got, &moved, &failure), 0);
	for (size_t i = 0; i < length; i++) {
		memcpy(other, text, length);
		other[i] = (char)(other[i] ^ 0x80);
		ck_assert_int_lt(read_back(other, length, &got, &moved, &failure), 0);
	}
	memcpy(other, text, length);
	other[length] = '\n';
	ck_assert_int_lt(read_back(other, length + 1, &got, &moved, &failure), 0);
	ck_assert_uint_eq(got.term, 99);
}
END_TEST

static void refused(const char *value, int error, const char *word)
{
	struct failure failure;
	struct reg got;
	bool moved;

	ck_assert_int_eq(read_back(value, strlen(value), &got, &moved, &failure), error);
	ck_assert_msg(strstr(failure.text, word) != NULL, "'%s' lacks '%s'", failure.text, word);
}

START_TEST(what_is_wrong_is_named)
{
	char value[REGISTER_VALUE_BYTES + 64];

	refused("", -EBADMSG, "damaged");
	refused("hello\n", -EBADMSG, "damaged");
	refused("mcroster-register x web\n", -EBADMSG, "format number");
	refused("mcroster-register 01 web\n", -EBADMSG, "format number");
	refused("mcroster-register 0 web\n", -EBADMSG, "format number");
	refused("mcroster-register 2 web what=ever\n\n\n", -EPROTONOSUPPORT,
		"newer format: found 2");
	refused("mcroster-register 1 mail\n", -EINVAL, "found 'mail', expected 'web'");
	refused("mcroster-register 1 webb\n", -EINVAL, "found 'webb'");
	refused("mcroster-register 1 \n", -EINVAL, "found ''");
	/* Nothing of a stranger's value but a name goes to a terminal. */
	refused("mcroster-register 1 \x1b[2J\n", -EINVAL, "found ''");
	refused("mcroster-register 1 web\n", -EBADMSG, "newline");
	refused("mcroster-register 1 web\nAAAA\n", -EBADMSG, "base64");
	memcpy(value, text, length + 1);
	value[length - 2] = '*';
	refused(value, -EBADMSG, "base64");
	reg.phase = PHASE_COUNT;
	(void)register_value_write(&reg, "web", false, value);
	refused(value, -EBADMSG, "bounds");
	reg.phase = PHASE_COPY;
	reg.term = 0;
	(void)register_value_write(&reg, "web", false, value);
	refused(value, -EBADMSG, "bounds");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("register_value");
	TCase *tcase = tcase_create("register_value");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, what_is_written_is_read_again);
	tcase_add_test(tcase, the_longest_name_fits);
	tcase_add_test(tcase, every_cut_and_every_changed_byte_is_noticed);
	tcase_add_test(tcase, what_is_wrong_is_named);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
