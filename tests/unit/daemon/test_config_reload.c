/* test_config_reload.c - agent.conf read a second time: what a running agent takes over, and that
 * what it cannot is refused as a whole and by name. */
#include "daemon/config_reading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>
#include <sodium.h>

static char base[64], path[96];

static bool keys_changed;

static const char *in_base(const char *name)
{
	static char joined[4][128];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(joined[next], sizeof(joined[next]), "%s/%s", base, name);
	return joined[next];
}

static void write_file(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void write_key(const char *name, uint8_t byte)
{
	uint8_t key[32];
	char text[64];

	memset(key, byte, sizeof(key));
	sodium_bin2base64(text, sizeof(text), key, 32, sodium_base64_VARIANT_ORIGINAL);
	write_file(in_base(name), text);
}

static void set_up(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	strcpy(base, "/tmp/mcroster-reload.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/agent.conf", base);
	write_key("host.key", 3);
	write_key("other.key", 4);
	write_key("psk", 7);
	write_key("other.psk", 9);
	write_file(in_base("password"), "tea\n");
	write_file(in_base("other.password"), "coffee\n");
}

static void tear_down(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", base);
	ck_assert_int_eq(system(command), 0);
}

#define KEY	  "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define OTHER_KEY "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="

/* The lines of a file; `option = ...` takes the place of the line of that option, or is added. */
static struct config *load_with(const char *line)
{
	const size_t name = strcspn(line, " =\n");
	char lines[12][512], text[8192] = "";
	struct failure failure;
	struct config *config;
	bool replaced = line[0] == '\0';
	int count = 0;

	snprintf(lines[count++], 512, "cluster = \"web\"\n");
	snprintf(lines[count++], 512, "name = \"web01\"\n");
	snprintf(lines[count++], 512, "listen = \"127.0.0.1:11280\"\n");
	snprintf(lines[count++], 512, "host-key = \"%s\"\n", in_base("host.key"));
	snprintf(lines[count++], 512, "psk = \"%s\"\n", in_base("psk"));
	snprintf(lines[count++], 512, "trusted-keys = { \"" KEY "\", \"" OTHER_KEY "\" }\n");
	snprintf(lines[count++], 512, "threshold = 1\n");
	snprintf(lines[count++], 512, "rate-keys = 100\n");
	snprintf(lines[count++], 512,
		 "server \"s1\" {\n\tuser = \"u\"\n\tpassword-file = \"%s\"\n}\n",
		 in_base("password"));
	for (int i = 0; i < count; i++) {
		const bool same = !replaced && strncmp(lines[i], line, name) == 0 &&
				  strchr(" =", lines[i][name]) != NULL;

		strcat(text, same ? line : lines[i]);
		strcat(text, "\n");
		replaced = replaced || same;
	}
	if (!replaced)
		strcat(text, line);
	write_file(path, text);
	ck_assert_msg(config_load(path, &config, &failure) == 0, "%s", failure.text);
	return config;
}

/* The same file with `line` in it is read again. */
static int reload_with(const char *line, struct config **running, struct failure *failure)
{
	struct config *next;
	int error;

	*running = load_with("");
	next = load_with(line);
	error = config_reload(*running, next, path, &keys_changed, failure);
	config_free(next);
	return error;
}

START_TEST(what_may_change_is_taken_over)
{
	struct config *running;
	struct failure failure;

	ck_assert_int_eq(reload_with("rate-keys = 5", &running, &failure), 0);
	ck_assert_uint_eq(running->rate_keys, 5);
	config_free(running);
	ck_assert_int_eq(reload_with("rate-bytes = 6", &running, &failure), 0);
	ck_assert_uint_eq(running->rate_bytes, 6);
	config_free(running);
	ck_assert_int_eq(reload_with("rate-adaptive = 0", &running, &failure), 0);
	ck_assert(!running->adaptive);
	config_free(running);
	ck_assert_int_eq(reload_with("boot-wait = 7", &running, &failure), 0);
	ck_assert_uint_eq(running->boot_wait_ms, 7);
	config_free(running);
	ck_assert_int_eq(reload_with("clients-per-user = 8", &running, &failure), 0);
	ck_assert_uint_eq(running->clients_per_user, 8);
	config_free(running);
	ck_assert_int_eq(reload_with("on-change = { \"/bin/sh\", \"a b\" }", &running, &failure),
			 0);
	ck_assert_str_eq(running->on_change[0], "/bin/sh");
	ck_assert_str_eq(running->on_change[1], "a b");
	ck_assert_ptr_null(running->on_change[2]);
	config_free(running);
	ck_assert_int_eq(reload_with("on-change-timeout = 9", &running, &failure), 0);
	ck_assert_uint_eq(running->on_change_timeout_ms, 9);
	config_free(running);
}
END_TEST

START_TEST(the_same_file_changes_nothing)
{
	struct config *running;
	struct failure failure;

	ck_assert_msg(reload_with("", &running, &failure) == 0, "%s", failure.text);
	ck_assert_uint_eq(running->rate_keys, 100);
	config_free(running);
}
END_TEST

static const struct {
	const char *line, *named;
} fixed[] = {
    {"cluster = \"shop\"", "cluster, state-directory, control-socket, clients-socket, segment"},
    {"name = \"web02\"", "name"},
    {"listen = \"127.0.0.1:11281\"", "listen"},
    {"state-directory = \"/srv/state\"", "state-directory"},
    {"control-socket = \"/srv/control\"", "control-socket"},
    {"clients-socket = \"/srv/clients\"", "clients-socket"},
    {"clients-mode = \"0660\"", "clients-mode"},
    {"owed-max = 100", "owed-max, owed-per-user"},
    {"owed-per-user = 100", "owed-per-user"},
    {"metrics = \"127.0.0.1:9400\"", "metrics"},
    {"discovery = \"127.0.0.1:9401\"", "discovery"},
    {"segment = \"/mcroster.other\"", "segment"},
    {"threshold = 2", "trusted-keys or threshold"},
    {"trusted-keys = { \"" KEY "\" }", "trusted-keys or threshold"},
    {"register = \"etcd\"\netcd-endpoints = { \"http://127.0.0.1:2379\" }",
     "register, etcd-endpoints, etcd-lease"},
    {"server \"s1\" {\n}\n", "a server section"},
    {"server \"s2\" {\n}\n", "a server section"},
};

START_TEST(what_may_not_change_is_refused_by_name)
{
	struct config *running;
	struct failure failure;
	char line[600], want[600];

	/* Something that may change stands beside it: it is not taken over either. */
	snprintf(line, sizeof(line), "%s\nboot-wait = 9\n", fixed[_i].line);
	ck_assert_int_eq(reload_with(line, &running, &failure), -EINVAL);
	snprintf(want, sizeof(want),
		 "%s: found another value than the running agent has for %s: that takes a "
		 "restart, which clients do not notice",
		 path, fixed[_i].named);
	ck_assert_str_eq(failure.text, want);
	ck_assert_uint_eq(running->boot_wait_ms, 30000);
	config_free(running);
}
END_TEST

/* Tried above, or below. */
static const char *const taken[] = {"rate-keys",	"rate-bytes",	    "rate-adaptive",
				    "boot-wait",	"clients-per-user", "on-change",
				    "on-change-timeout"};
static const char *const others[] = {
    "host-key", "previous-host-key",  "psk",	   "previous-psk", "etcd-ca",	    "etcd-cert",
    "etcd-key", "etcd-password-file", "etcd-user", "etcd-lease",   "etcd-endpoints"};

static bool option_tried(const char *name)
{
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (strcmp(taken[i], name) == 0)
			return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(others[i], name) == 0)
			return true;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strncmp(fixed[i].line, name, strlen(name)) == 0)
			return true;
	return false;
}

START_TEST(every_option_is_one_or_the_other)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (!config_options[i].in_server)
			ck_assert_msg(option_tried(config_options[i].name),
				      "%s: is it taken over, or refused?", config_options[i].name);
}
END_TEST

/* The option is the same, what the file holds is not. */
static struct config *load_with_another(const char *name)
{
	char backup[160], original[128], other[128];

	snprintf(original, sizeof(original), "%s", in_base(name));
	snprintf(backup, sizeof(backup), "%s.backup", original);
	snprintf(other, sizeof(other), "%s/other.%s", base, strchr(name, '.') ? "key" : name);
	ck_assert_int_eq(rename(original, backup), 0);
	ck_assert_int_eq(link(other, original), 0);
	return load_with("");
}

START_TEST(another_password_in_the_same_file_is_refused)
{
	struct config *running = load_with(""), *next = load_with_another("password");
	struct failure failure;

	ck_assert_int_eq(config_reload(running, next, path, &keys_changed, &failure), -EINVAL);
	ck_assert_msg(strstr(failure.text, " for a server's password: ") != NULL, "%s",
		      failure.text);
	config_free(next);
	config_free(running);
}
END_TEST

static void assert_key_taken(const char *name, bool host)
{
	struct config *running = load_with(""), *next = load_with_another(name);
	uint8_t expected[32], expected_public[32];
	struct failure failure;

	memcpy(expected, host ? next->host_secret : next->psk, 32);
	memcpy(expected_public, next->host_public, 32);
	keys_changed = false;
	ck_assert_int_eq(config_reload(running, next, path, &keys_changed, &failure), 0);
	ck_assert(keys_changed);
	config_free(next); /* what is in force lives on */
	ck_assert_mem_eq(host ? running->host_secret : running->psk, expected, 32);
	ck_assert_mem_eq(running->host_public, expected_public, 32);
	config_free(running);
}

START_TEST(other_keys_in_the_same_files_are_taken_over)
{
	assert_key_taken("psk", false);
	assert_key_taken("host.key", true);
}
END_TEST

/* It comes, and it goes. */
START_TEST(previous_keys_are_taken_over)
{
	struct config *running, *next;
	struct failure failure;
	char line[256];

	snprintf(line, sizeof(line), "previous-psk = \"%s\"\nprevious-host-key = \"%s\"\n",
		 in_base("other.psk"), in_base("other.key"));
	keys_changed = false;
	ck_assert_msg(reload_with(line, &running, &failure) == 0, "%s", failure.text);
	ck_assert(keys_changed);
	ck_assert_ptr_nonnull(running->previous_psk);
	ck_assert_ptr_nonnull(running->previous_host_secret);
	next = load_with(line);
	keys_changed = false;
	ck_assert_int_eq(config_reload(running, next, path, &keys_changed, &failure), 0);
	ck_assert(!keys_changed);
	config_free(next);
	next = load_with("");
	ck_assert_int_eq(config_reload(running, next, path, &keys_changed, &failure), 0);
	ck_assert(keys_changed);
	ck_assert_ptr_null(running->previous_psk);
	ck_assert_ptr_null(running->previous_host_secret);
	config_free(next);
	config_free(running);
}
END_TEST

/* What is refused changes no key either. */
START_TEST(keys_stay_where_something_else_is_refused)
{
	struct config *running;
	struct failure failure;
	char line[256];

	snprintf(line, sizeof(line), "name = \"web02\"\nprevious-psk = \"%s\"\n",
		 in_base("other.psk"));
	keys_changed = false;
	ck_assert_int_eq(reload_with(line, &running, &failure), -EINVAL);
	ck_assert(!keys_changed);
	ck_assert_ptr_null(running->previous_psk);
	config_free(running);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_reload");
	TCase *tests = tcase_create("config_reload");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_may_change_is_taken_over);
	tcase_add_test(tests, the_same_file_changes_nothing);
	tcase_add_loop_test(tests, what_may_not_change_is_refused_by_name, 0,
			    (int)(sizeof(fixed) / sizeof(fixed[0])));
	tcase_add_test(tests, every_option_is_one_or_the_other);
	tcase_add_test(tests, another_password_in_the_same_file_is_refused);
	tcase_add_test(tests, other_keys_in_the_same_files_are_taken_over);
	tcase_add_test(tests, previous_keys_are_taken_over);
	tcase_add_test(tests, keys_stay_where_something_else_is_refused);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
