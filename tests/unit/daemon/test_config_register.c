/* test_config_register.c - where the register lives, by agent.conf: what is taken, and what each
 * refusal names. */
#include "daemon/config.h"

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

static char base[64], path[96], key[96];

static void write_file(const char *file, mode_t mode, const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static const char *beside(const char *name)
{
	static char file[4][96];
	static unsigned next;
	char *at = file[next++ % 4];

	(void)snprintf(at, sizeof(file[0]), "%s/%s", base, name);
	return at;
}

static void set_up(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	strcpy(base, "/tmp/mcroster-config.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	strcpy(path, beside("agent.conf"));
	strcpy(key, beside("secret"));
	write_file(key, 0600, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n");
	write_file(beside("ca.pem"), 0644, "a certificate\n");
	write_file(beside("client.pem"), 0644, "a certificate\n");
	write_file(beside("client.key"), 0600, "a key\n");
	write_file(beside("password"), 0600, "correct horse\n");
}

static void tear_down(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", base);
	ck_assert_int_eq(system(command), 0);
}

/* The required options in seven lines, then `format`, in which "@ stands for the directory. */
static int load(struct config **config, struct failure *failure, const char *format,
		va_list arguments)
{
	char text[8192], more[4096];
	size_t used = (size_t)snprintf(
	    text, sizeof(text),
	    "cluster = web\nname = web01\nlisten = \"10.0.0.1:1\"\nhost-key = \"%s\"\n"
	    "psk = \"%s\"\nthreshold = 1\n"
	    "trusted-keys = {\"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"}\n",
	    key, key);

	ck_assert_int_lt(vsnprintf(more, sizeof(more), format, arguments), (int)sizeof(more));
	for (const char *at = more; *at != '\0'; at++) {
		ck_assert_uint_lt(used, sizeof(text) - sizeof(base));
		if (at[0] == '@' && at[-1] == '"')
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", base);
		else
			text[used++] = *at;
	}
	text[used] = '\0';
	write_file(path, 0644, text);
	return config_load(path, config, failure);
}

__attribute__((format(printf, 1, 2))) static struct config *taken(const char *format, ...)
{
	struct config *config = NULL;
	struct failure failure = {{0}};
	va_list arguments;
	int error;

	va_start(arguments, format);
	error = load(&config, &failure, format, arguments);
	va_end(arguments);
	ck_assert_msg(error == 0, "%s", failure.text);
	return config;
}

__attribute__((format(printf, 4, 5))) static void refused(int error, const char *option,
							  const char *word, const char *format, ...)
{
	struct config *config = NULL;
	struct failure failure = {{0}};
	char begin[160];
	va_list arguments;
	int got;

	va_start(arguments, format);
	got = load(&config, &failure, format, arguments);
	va_end(arguments);
	ck_assert_msg(got == error, "%d: %s", got, failure.text);
	(void)snprintf(begin, sizeof(begin), "%s:", path);
	ck_assert_msg(strncmp(failure.text, begin, strlen(begin)) == 0, "%s", failure.text);
	(void)snprintf(begin, sizeof(begin), ": %s: ", option);
	ck_assert_msg(strstr(failure.text, begin) != NULL, "'%s' names not %s", failure.text,
		      option);
	ck_assert_msg(strstr(failure.text, word) != NULL, "'%s' lacks '%s'", failure.text, word);
	ck_assert_msg(strstr(failure.text, "correct horse") == NULL, "it shows the password");
}

#define ETCD  "register = \"etcd\"\n"
#define HTTPS ETCD "etcd-endpoints = {\"https://etcd1.example.org:2379\"}\n"
#define LOCAL ETCD "etcd-endpoints = {\"http://127.0.0.1:2379\"}\n"

START_TEST(the_file_is_the_default)
{
	struct config *c = taken("%s", "");

	ck_assert_int_eq(c->register_in, CONFIG_REGISTER_FILE);
	config_free(c);
	c = taken("register = file\n");
	ck_assert_int_eq(c->register_in, CONFIG_REGISTER_FILE);
	config_free(c);
}
END_TEST

START_TEST(every_option_is_taken)
{
	struct config *c = taken(ETCD "etcd-endpoints = {\"https://etcd1.example.org:2379\",\n"
				      "\"https://[fd00::1]:2379\"}\netcd-ca = \"@/ca.pem\"\n"
				      "etcd-cert = \"@/client.pem\"\netcd-key = \"@/client.key\"\n"
				      "etcd-user = mcroster\netcd-password-file = \"@/password\"\n"
				      "etcd-lease = 10\n");

	ck_assert_int_eq(c->register_in, CONFIG_REGISTER_ETCD);
	ck_assert_uint_eq(c->etcd.endpoint_count, 2);
	ck_assert_str_eq(c->etcd.endpoints[1], "https://[fd00::1]:2379");
	ck_assert_str_eq(c->etcd.ca, beside("ca.pem"));
	ck_assert_str_eq(c->etcd.cert, beside("client.pem"));
	ck_assert_str_eq(c->etcd.key, beside("client.key"));
	ck_assert_str_eq(c->etcd.user, "mcroster");
	ck_assert_str_eq(c->etcd.password, "correct horse");
	ck_assert_uint_eq(c->etcd.lease_s, 10);
	config_free(c);
	c = taken(LOCAL "etcd-user = mcroster\netcd-password-file = \"@/password\"\n");
	ck_assert_uint_eq(c->etcd.lease_s, 5);
	ck_assert_str_eq(c->etcd.ca, "");
	config_free(c);
}
END_TEST

START_TEST(endpoints_are_schemes_hosts_and_ports)
{
	static const char *const bad[] = {
	    "etcd1:2379",	   "https://etcd1",	     "https://etcd1:0",
	    "https://etcd1:65536", "https://etcd1:2379/",    "https://u:p@etcd1:2379",
	    "ftp://etcd1:2379",	   "https://:2379",	     "https://[]:2379",
	    "https://[::1:2379",   "https://etcd1:2379/v3",  "https://et cd:2379",
	    "HTTPS://etcd1:2379",  "https://etcd1:2379?a=b", "",
	};
	char many[1024] = "";

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refused(-EINVAL, "etcd-endpoints", "such as https",
			ETCD "etcd-endpoints = {\"%s\"}\n", bad[i]);
	refused(-EINVAL, "etcd-endpoints", "twice",
		ETCD "etcd-endpoints = {\"http://a:1\", \"http://a:1\"}\n");
	refused(-EINVAL, "etcd-endpoints", "both http and https",
		ETCD "etcd-endpoints = {\"http://a:1\", \"https://a:1\"}\n");
	for (unsigned i = 0; i < 10; i++)
		(void)snprintf(many + strlen(many), sizeof(many) - strlen(many),
			       "\"http://a:%u\"%s", i + 1, i < 9 ? "," : "");
	refused(-EINVAL, "etcd-endpoints", "10 endpoints, expected 1 to 9",
		ETCD "etcd-endpoints = {%s}\n", many);
	refused(-EINVAL, "register", "without etcd-endpoints", ETCD);
	refused(-EINVAL, "register", "without etcd-endpoints", ETCD "etcd-endpoints = {}\n");
}
END_TEST

START_TEST(what_belongs_together_comes_together)
{
	static const char *const alone[] = {"etcd-endpoints = {\"http://a:1\"}",
					    "etcd-ca = \"@/ca.pem\"",
					    "etcd-cert = \"@/client.pem\"",
					    "etcd-key = \"@/client.key\"",
					    "etcd-user = u",
					    "etcd-password-file = \"@/password\"",
					    "etcd-lease = 5"};
	char option[32];

	for (size_t i = 0; i < sizeof(alone) / sizeof(*alone); i++) {
		(void)snprintf(option, sizeof(option), "%.*s", (int)strcspn(alone[i], " "),
			       alone[i]);
		refused(-EINVAL, option, "without register", "%s\n", alone[i]);
		refused(-EINVAL, option, "without register", "register = file\n%s\n", alone[i]);
	}
	refused(-EINVAL, "register", "'zookeeper'", "register = zookeeper\n");
	refused(-EINVAL, "etcd-cert", "without etcd-key", HTTPS "etcd-cert = \"@/client.pem\"\n");
	refused(-EINVAL, "etcd-key", "without etcd-cert", HTTPS "etcd-key = \"@/client.key\"\n");
	refused(-EINVAL, "etcd-user", "without etcd-password-file", HTTPS "etcd-user = u\n");
	refused(-EINVAL, "etcd-password-file", "without etcd-user",
		HTTPS "etcd-password-file = \"@/password\"\n");
	refused(-EINVAL, "etcd-ca", "expected https", LOCAL "etcd-ca = \"@/ca.pem\"\n");
}
END_TEST

START_TEST(a_password_is_not_sent_where_others_can_read_it)
{
	static const char *const open_to_all[] = {
	    "http://10.0.0.1:2379", "http://127.evil.org:2379", "http://localhost.evil.org:2379"};

	for (size_t i = 0; i < sizeof(open_to_all) / sizeof(*open_to_all); i++)
		refused(-EINVAL, "etcd-user", "expected https",
			ETCD "etcd-endpoints = {\"http://127.0.0.1:1\", \"%s\"}\n"
			     "etcd-user = u\netcd-password-file = \"@/password\"\n",
			open_to_all[i]);
}
END_TEST

START_TEST(files_are_looked_at_before_the_start)
{
#define USER HTTPS "etcd-user = u\netcd-password-file = \"@/password\"\n"
	char large[300];

	refused(-ENOENT, "etcd-ca", "nothing.pem", HTTPS "etcd-ca = \"@/nothing.pem\"\n");
	refused(-EINVAL, "etcd-ca", "regular file", HTTPS "etcd-ca = \"@\"\n");
	refused(-EINVAL, "etcd-ca", "absolute", HTTPS "etcd-ca = ca.pem\n");
	ck_assert_int_eq(chmod(beside("client.key"), 0640), 0);
	refused(-EPERM, "etcd-key", "0640",
		HTTPS "etcd-cert = \"@/client.pem\"\netcd-key = \"@/client.key\"\n");
	ck_assert_int_eq(chmod(beside("password"), 0604), 0);
	refused(-EPERM, "etcd-password-file", "0604", USER);
	write_file(beside("password"), 0600, "");
	refused(-EINVAL, "etcd-password-file", "one line", USER);
	write_file(beside("password"), 0600, "correct horse\n\n");
	refused(-EINVAL, "etcd-password-file", "one line", USER);
	memset(large, 'p', sizeof(large) - 1);
	large[256] = '\0';
	write_file(beside("password"), 0600, large);
	refused(-EINVAL, "etcd-password-file", "255", USER);
	large[255] = '\0';
	write_file(beside("password"), 0600, large);
	config_free(taken(USER));
	write_file(beside("password"), 0600, large);
	refused(-EINVAL, "etcd-user", "''",
		HTTPS "etcd-user = \"\"\netcd-password-file = \"@/password\"\n");
	refused(-EINVAL, "etcd-lease", "from 3 to 60", LOCAL "etcd-lease = 2\n");
	refused(-EINVAL, "etcd-lease", "from 3 to 60", LOCAL "etcd-lease = 61\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_register");
	TCase *tcase = tcase_create("config_register");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, the_file_is_the_default);
	tcase_add_test(tcase, every_option_is_taken);
	tcase_add_test(tcase, endpoints_are_schemes_hosts_and_ports);
	tcase_add_test(tcase, what_belongs_together_comes_together);
	tcase_add_test(tcase, a_password_is_not_sent_where_others_can_read_it);
	tcase_add_test(tcase, files_are_looked_at_before_the_start);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
