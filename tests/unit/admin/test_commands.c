/* test_commands.c - the table of commands and the help of each say the same. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/option_help.h"
#include "scratch.h"

/* Calls `each` for all commands, the inner ones of keys too. */
static void commands_each(void (*each)(const char *words, const struct command *command))
{
	char words[64];

	for (size_t i = 0; admin_commands[i] != NULL; i++) {
		each(admin_commands[i]->name, admin_commands[i]);
		for (size_t j = 0;
		     admin_commands[i]->inner != NULL && admin_commands[i]->inner[j] != NULL; j++) {
			(void)snprintf(words, sizeof(words), "%s %s", admin_commands[i]->name,
				       admin_commands[i]->inner[j]->name);
			each(words, admin_commands[i]->inner[j]);
		}
	}
}

static void options_look(const char *words, const struct command *command)
{
	struct option_help help;

	for (const struct option *option = command->options; option->name != NULL; option++) {
		ck_assert_msg(option_help_find(command->usage, option->name, &help),
			      "%s --help does not have --%s", words, option->name);
		ck_assert_msg((help.value[0] != '\0') == (option->has_arg == required_argument),
			      "%s --help is wrong about the value of --%s", words, option->name);
		ck_assert_msg(help.sentence[0] != '\0', "%s --help says nothing of --%s", words,
			      option->name);
	}
}

START_TEST(every_option_is_in_the_help_of_its_command)
{
	commands_each(options_look);
}
END_TEST

/* Who reads the command line tells options by their values alone. */
static void values_look(const char *words, const struct command *command)
{
	for (const struct option *a = command->options; a->name != NULL; a++)
		for (const struct option *b = a + 1; b->name != NULL; b++)
			ck_assert_msg(a->val != b->val, "%s: --%s and --%s have one value", words,
				      a->name, b->name);
}

START_TEST(no_two_options_of_a_command_have_one_value)
{
	commands_each(values_look);
}
END_TEST

/* The other way round: what the help has is an option. */
static void help_look(const char *words, const struct command *command)
{
	for (const char *at = command->usage; (at = strstr(at, "\n  ")) != NULL; at++) {
		const char *dashes = at + strspn(at, "\n ");
		char name[64];

		if (dashes[0] == '-' && dashes[1] != '-' && dashes[2] == ',')
			dashes += 4;
		if (sscanf(dashes, "--%63[a-z-]", name) != 1)
			continue;
		for (const struct option *option = command->options;; option++) {
			ck_assert_msg(option->name != NULL, "%s has no option --%s", words, name);
			if (strcmp(option->name, name) == 0)
				break;
		}
	}
}

START_TEST(what_the_help_has_is_an_option)
{
	commands_each(help_look);
}
END_TEST

static void form_look(const char *words, const struct command *command)
{
	char first[96];

	(void)snprintf(first, sizeof(first), "Usage: mcadmin %s ", words);
	ck_assert_msg(strncmp(command->usage, first, strlen(first)) == 0,
		      "%s --help begins with another command", words);
	for (const char *line = command->usage; *line != '\0';) {
		const size_t length = strcspn(line, "\n");

		ck_assert_msg(length <= 80, "%s --help: %zu columns: %.*s", words, length,
			      (int)length, line);
		line += length + (line[length] == '\n');
	}
	ck_assert_ptr_nonnull(command->summary);
}

START_TEST(the_help_names_its_command_and_fits_a_terminal)
{
	commands_each(form_look);
}
END_TEST

START_TEST(an_option_is_found_in_the_help)
{
	static const char usage[] = "Usage: mcadmin x\n\n"
				    "Says --more of it.\n"
				    "  -k, --key FILE  a key\n"
				    "      --more      more\n";
	struct option_help help;

	ck_assert(option_help_find(usage, "key", &help));
	ck_assert_int_eq(help.letter, 'k');
	ck_assert_str_eq(help.value, "FILE");
	ck_assert_str_eq(help.sentence, "a key");
	ck_assert(option_help_find(usage, "more", &help));
	ck_assert_int_eq(help.letter, 0);
	ck_assert_str_eq(help.value, "");
	ck_assert_str_eq(help.sentence, "more");
	ck_assert(!option_help_find(usage, "mor", &help));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("commands");
	TCase *tcase = tcase_create("commands");

	tcase_add_test(tcase, every_option_is_in_the_help_of_its_command);
	tcase_add_test(tcase, no_two_options_of_a_command_have_one_value);
	tcase_add_test(tcase, what_the_help_has_is_an_option);
	tcase_add_test(tcase, the_help_names_its_command_and_fits_a_terminal);
	tcase_add_test(tcase, an_option_is_found_in_the_help);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
