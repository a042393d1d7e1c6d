/* test_doctor.c - what doctor makes of what an agent says, and that each of its findings names a
 * command that there is. */
#include <ctype.h>
#include <getopt.h>
#include <inttypes.h>
#include <time.h>

#include "admin/admin.h"
#include "admin/doctor.h"

#include "scratch.h"

static struct status status;
static struct status_host hosts[2];
static struct checkup checkup;

/* A cluster of two hosts that is well, as the coordinator a1 shows it to a2. */
static void setup(void)
{
	memset(&status, 0, sizeof(status));
	memset(hosts, 0, sizeof(hosts));
	status.cluster_view = status.settled = true;
	strcpy(status.cluster, "web");
	strcpy(status.agent, "a1");
	strcpy(status.coordinator, "a1");
	strcpy(status.asked, "a2");
	status.epoch = 7;
	status.hosts = hosts;
	status.host_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(hosts[i].name, sizeof(hosts[i].name), "a%u", i + 1);
		hosts[i].lease_left_ms = 5000;
		hosts[i].clients_adopted = 3;
	}
}

static void teardown(void)
{
	checkup_clear(&checkup);
}

static void examine(void)
{
	checkup_clear(&checkup);
	doctor_status(&status, &checkup);
	ck_assert(!checkup.lost);
}

/* What is wrong, in one string: "LEVEL check subject: found; ". */
static const char *wrong(void)
{
	static char text[4096];
	size_t used = 0;

	examine();
	text[0] = '\0';
	for (uint32_t i = 0; i < checkup.count; i++) {
		const struct finding *finding = &checkup.findings[i];

		if (finding->level != CHECKUP_OK)
			used +=
			    (size_t)snprintf(text + used, sizeof(text) - used, "%s %d %s: %s; ",
					     finding->level == CHECKUP_FAULT ? "FAULT" : "WARN",
					     (int)finding->check, finding->subject, finding->found);
		ck_assert_uint_lt(used, sizeof(text));
	}
	return text;
}

static void assert_wrong(const char *level, enum check check, const char *rest)
{
	char wanted[512];

	(void)snprintf(wanted, sizeof(wanted), "%s %d %s; ", level, (int)check, rest);
	ck_assert_str_eq(wrong(), wanted);
}

/* Is there a line of this check that says that all is well? */
static bool content(enum check check)
{
	for (uint32_t i = 0; i < checkup.count; i++)
		if (checkup.findings[i].check == check && checkup.findings[i].level == CHECKUP_OK)
			return true;
	return false;
}

START_TEST(cluster_that_is_well_has_nothing)
{
	ck_assert_str_eq(wrong(), "");
	ck_assert(content(CHECK_TROUBLE));
	ck_assert(content(CHECK_LEASE));
	ck_assert(content(CHECK_CLIENTS));
	ck_assert(content(CHECK_OWED));
}
END_TEST

START_TEST(trouble_is_a_fault_of_whoever_has_it)
{
	strcpy(status.trouble, "its disk is full");
	assert_wrong("FAULT", CHECK_TROUBLE, "a1: its disk is full");
	ck_assert(!content(CHECK_TROUBLE));
	status.trouble[0] = '\0';
	strcpy(status.asked_trouble, "no register");
	assert_wrong("FAULT", CHECK_TROUBLE, "a2: no register");
	ck_assert(!content(CHECK_TROUBLE));
	status.asked_trouble[0] = '\0';
	strcpy(status.asked_owed.trouble, "the owed keys cannot be written");
	assert_wrong("FAULT", CHECK_TROUBLE, "a2: the owed keys cannot be written");
	ck_assert(!content(CHECK_TROUBLE));
}
END_TEST

START_TEST(host_without_a_lease_is_a_fault)
{
	status.asked_isolated = true;
	assert_wrong("FAULT", CHECK_LEASE, "a2: isolated: what it serves may be old");
	status.isolated = true;
	assert_wrong("FAULT", CHECK_LEASE, "a1: isolated: what it serves may be old");
	status.isolated = status.asked_isolated = false;
	hosts[1].lease_left_ms = -1;
	assert_wrong("FAULT", CHECK_LEASE, "a2: it has no lease");
	strcpy(hosts[1].name, "-"); /* observers may come and go */
	ck_assert_str_eq(wrong(), "");
	status.cluster_view = false;
	assert_wrong("WARN", CHECK_LEASE,
		     "a1: the coordinator a1 was not reached, so this is the agent's own view");
}
END_TEST

START_TEST(keys_may_be_owed_for_a_minute)
{
	const uint64_t now = (uint64_t)time(NULL);

	status.asked_owed.keys = 3;
	status.asked_owed.since = now - 30;
	ck_assert_str_eq(wrong(), "");
	status.asked_owed.since = now - 3600;
	assert_wrong("WARN", CHECK_OWED, "a2: 3 keys, the oldest for 1 h 0 min");
	status.asked_owed.keys = 1;
	assert_wrong("WARN", CHECK_OWED, "a2: 1 key, the oldest for 1 h 0 min");
	status.asked_owed.since = now + 3600; /* clocks are set back */
	ck_assert_str_eq(wrong(), "");
	status.asked_owed.refused = 4;
	assert_wrong("WARN", CHECK_OWED,
		     "a2: 4 were refused since it started: those operations failed");
	memset(&status.asked_owed, 0, sizeof(status.asked_owed));
	status.owed.keys = 2;
	status.owed.since = now - 3600;
	assert_wrong("WARN", CHECK_OWED, "a1: 2 keys, the oldest for 1 h 0 min");
}
END_TEST

START_TEST(clients_that_refuse_or_stay_silent_are_named_by_host)
{
	hosts[0].clients_refused = 1;
	assert_wrong("FAULT", CHECK_CLIENTS, "a1: 1 of 4 refuse");
	hosts[0].clients_refused = 0;
	hosts[1].clients_silent = 2;
	assert_wrong("WARN", CHECK_CLIENTS, "a2: 2 of 5 are silent");
	status.next_epoch = 8; /* in a change each has a moment to answer */
	ck_assert_str_eq(wrong(), "");
}
END_TEST

START_TEST(contradicting_documents_are_a_fault)
{
	status.equivocation = 1;
	assert_wrong("FAULT", CHECK_EVIDENCE, ": 1 contradicting document kept");
	status.asked_equivocation = 1;
	assert_wrong("FAULT", CHECK_EVIDENCE, ": 2 contradicting documents kept");
}
END_TEST

/* ---- the advice ---- */

static const struct command *command_find(const struct command *const *all, const char *name)
{
	for (size_t i = 0; all != NULL && all[i] != NULL; i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

static void option_assert(const struct command *command, const char *name)
{
	for (const struct option *option = command->options; option->name != NULL; option++)
		if (strcmp(option->name, name) == 0)
			return;
	ck_abort_msg("mcadmin %s has no --%s", command->name, name);
}

/* 'mcadmin WORD [--option]...': it is a command, and those are its options. */
static void mcadmin_assert(char *words)
{
	const struct command *command = NULL;

	for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
		if (command == NULL) {
			command = command_find(admin_commands, word);
			ck_assert_msg(command != NULL, "there is no mcadmin %s", word);
		} else if (strncmp(word, "--", 2) == 0) {
			option_assert(command, word + 2);
		}
	}
	ck_assert_ptr_nonnull(command);
}

/* The commands in quotes: how many they are. */
static unsigned commands_assert(const char *text)
{
	static const char *const known[] = {"mcrosterd",   "systemctl", "journalctl", "chown",
					    "chmod",	   "df",	"du",	      "ss",
					    "timedatectl", "memcached"};
	unsigned count = 0;

	while ((text = strchr(text, '\'')) != NULL) {
		const char *end = text + 1;
		char words[128];

		do
			end = strchr(end + 1, '\'');
		while (end != NULL && isalnum((unsigned char)end[1]));
		if (end == NULL || (text[-1] != ' ' && text[-1] != '(' && text[-1] != '\n')) {
			text++; /* an apostrophe */
			continue;
		}
		ck_assert_uint_lt((size_t)(end - text), sizeof(words));
		(void)snprintf(words, sizeof(words), "%.*s", (int)(end - text) - 1, text + 1);
		if (strncmp(words, "mcadmin ", 8) == 0) {
			mcadmin_assert(words + 8);
			count++;
		}
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			count += strncmp(words, known[i], strlen(known[i])) == 0;
		text = end + 1;
	}
	return count;
}

/* What the report has of a check that found something: what it means, and what to do. */
static char *report_of(enum check check)
{
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	ck_assert_ptr_nonnull(out);
	checkup_clear(&checkup);
	checkup_add(&checkup, check, CHECKUP_FAULT, "x", "y");
	checkup_report(&checkup, false, out);
	(void)fclose(out);
	return text;
}

START_TEST(each_finding_names_a_command_that_there_is)
{
	char *text = report_of((enum check)_i), *advice = strrchr(text, '\n');

	/* The last line that says something is the advice. */
	while (advice > text && (advice[1] == '\0' || advice[1] == '\n'))
		advice = memrchr(text, '\n', (size_t)(advice - text));
	ck_assert_ptr_nonnull(advice);
	advice += 1 + strspn(advice + 1, " ") - 1; /* a blank before the first quote */
	ck_assert_msg(commands_assert(advice) > 0, "no command in: %s", text);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("doctor");
	TCase *tcase = tcase_create("doctor");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, cluster_that_is_well_has_nothing);
	tcase_add_test(tcase, trouble_is_a_fault_of_whoever_has_it);
	tcase_add_test(tcase, host_without_a_lease_is_a_fault);
	tcase_add_test(tcase, keys_may_be_owed_for_a_minute);
	tcase_add_test(tcase, clients_that_refuse_or_stay_silent_are_named_by_host);
	tcase_add_test(tcase, contradicting_documents_are_a_fault);
	tcase_add_loop_test(tcase, each_finding_names_a_command_that_there_is, 0, CHECK_COUNT);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
