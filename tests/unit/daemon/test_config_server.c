/* test_config_server.c - how memcacheds are spoken to, by agent.conf: what is taken, and what each
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

#include "certificates.h"
#include "net/mc_tls.h"

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

/* As the agent wants a key to be; the openssl program's are readable here, for memcached. */
static void own(const char *name, const char *as)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "cp '%s' '%s' && chmod 600 '%s'", beside(name),
		       beside(as), beside(as));
	ck_assert_int_eq(system(command), 0);
}

static void set_up(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	strcpy(base, "/tmp/mcroster-config.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	strcpy(path, beside("agent.conf"));
	strcpy(key, beside("secret"));
	write_file(key, 0600, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n");
	certificates_make(base);
	write_file(beside("password"), 0600, "correcthorse\n");
	own("client.key", "owned.key");
	write_file(beside("spaced"), 0600, "correct horse\n");
	write_file(beside("open"), 0644, "correcthorse\n");
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
	(void)snprintf(begin, sizeof(begin), "%s", option);
	ck_assert_msg(strstr(failure.text, begin) != NULL, "'%s' names not %s", failure.text,
		      option);
	ck_assert_msg(strstr(failure.text, word) != NULL, "'%s' lacks '%s'", failure.text, word);
	ck_assert_msg(strstr(failure.text, "correct horse") == NULL, "it shows the password");
	ck_assert_msg(strstr(failure.text, "correcthorse") == NULL, "it shows the password");
}

#define ETCD  "register = \"etcd\"\n"
#define HTTPS ETCD "etcd-endpoints = {\"https://etcd1.example.org:2379\"}\n"
#define LOCAL ETCD "etcd-endpoints = {\"http://127.0.0.1:2379\"}\n"

#define LOGIN "user = mcroster\npassword-file = \"@/password\"\n"

START_TEST(without_a_section_every_server_is_spoken_to_plainly)
{
	struct config *config = taken("# none\n");

	ck_assert_ptr_null(mc_access_find(&config->access, "cache01"));
	config_free(config);
}
END_TEST

START_TEST(a_login_is_of_one_server_or_of_all_others)
{
	struct config *config = taken("server \"cache01\" {\n" LOGIN "}\nserver \"cache02\" {\n}\n"
				      "server \"*\" {\nuser = other\n"
				      "password-file = \"@/password\"\n}\n");

	ck_assert_str_eq(mc_access_find(&config->access, "cache01")->login,
			 "mcroster correcthorse");
	ck_assert_ptr_null(mc_access_find(&config->access, "cache02")->login);
	ck_assert_str_eq(mc_access_find(&config->access, "cache03")->login, "other correcthorse");
	config_free(config);
}
END_TEST

START_TEST(what_is_no_login_is_refused)
{
	refused(-EINVAL, "server \"s1\": user: ", "without password-file",
		"server s1 {\nuser = mcroster\n}\n");
	refused(-EINVAL, "server \"s1\": password-file: ", "without user",
		"server s1 {\npassword-file = \"@/password\"\n}\n");
	refused(-EINVAL, "server \"s1\": user: ", "'a b'",
		"server s1 {\nuser = \"a b\"\npassword-file = \"@/password\"\n}\n");
	refused(-EINVAL, "server \"s1\": user: ", "'a:b'",
		"server s1 {\nuser = \"a:b\"\npassword-file = \"@/password\"\n}\n");
	refused(-EINVAL, "server \"s1\": password-file: ", "without a space",
		"server s1 {\nuser = a\npassword-file = \"@/spaced\"\n}\n");
	refused(-EPERM, "server \"s1\": password-file: ", "mode 0644",
		"server s1 {\nuser = a\npassword-file = \"@/open\"\n}\n");
	refused(-ENOENT, "server \"s1\": password-file: ", "nowhere",
		"server s1 {\nuser = a\npassword-file = \"@/nowhere\"\n}\n");
	refused(-EINVAL, "server \"s1\": password-file: ", "absolute path",
		"server s1 {\nuser = a\npassword-file = password\n}\n");
}
END_TEST

START_TEST(what_is_no_section_is_refused)
{
	refused(-EINVAL, "colour", "expected one of user, password-file, tls,",
		"server s1 {\ncolour = red\n}\n");
	refused(-EINVAL, "colour", "server", "colour = red\n");
	refused(-EINVAL, ": user: ", "second one", "server s1 {\n" LOGIN "user = other\n}\n");
	refused(-EINVAL, "server", "twice", "server s1 {\n" LOGIN "}\nserver s1 {\n}\n");
	refused(-EINVAL, "server \"-s1\"", "name in the list", "server \"-s1\" {\n}\n");
	refused(-EINVAL, "found", "server", "server {\n}\n");
}
END_TEST

#define TLS_ON "tls = yes\ntls-ca = \"@/authority.pem\"\n"

START_TEST(tls_is_taken_where_it_is_built_and_refused_where_not)
{
	struct mc_tls *tls = NULL;
	struct failure failure;
	struct config *config;
	const struct mc_access *access;

	if (mc_tls_new(beside("authority.pem"), NULL, NULL, &tls, &failure) == -ENOTSUP) {
		refused(-ENOTSUP, "server \"s1\": tls: ", "TLS=1", "server s1 {\n" TLS_ON "}\n");
		return;
	}
	mc_tls_free(tls);
	config = taken("server s1 {\n" TLS_ON "tls-name = cache01.example.org\n"
		       "tls-cert = \"@/client.pem\"\ntls-key = \"@/owned.key\"\n}\n"
		       "server s2 {\n" TLS_ON "tls-name = \"::1\"\n}\n");
	access = mc_access_find(&config->access, "s1");
	ck_assert_ptr_nonnull(access->tls);
	ck_assert_str_eq(access->name, "cache01.example.org");
	ck_assert_ptr_null(access->login);
	config_free(config);
	refused(-EINVAL, "server \"s1\": tls: ", "/password: found",
		"server s1 {\ntls = yes\ntls-ca = \"@/password\"\n}\n");
}
END_TEST

/* PEM takes words around what it holds. */
static void renew(const char *name)
{
	FILE *file = fopen(beside(name), "ae");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs("renewed\n", file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

#define TLS_WHOLE                                                                                  \
	"server s1 {\n" TLS_ON "tls-cert = \"@/client.pem\"\ntls-key = \"@/owned.key\"\n}\n"

START_TEST(a_renewed_certificate_is_not_said_to_be_in_force)
{
	static const char *const files[] = {"authority.pem", "client.pem", "owned.key"};
	struct config *running, *next;
	struct mc_tls *tls = NULL;
	struct failure failure;
	bool keys_changed;

	if (mc_tls_new(beside("authority.pem"), NULL, NULL, &tls, &failure) == -ENOTSUP)
		return;
	mc_tls_free(tls);
	running = taken(TLS_WHOLE);
	next = taken(TLS_WHOLE);
	ck_assert_int_eq(config_reload(running, next, path, &keys_changed, &failure), 0);
	config_free(next);
	renew(files[_i]);
	next = taken(TLS_WHOLE);
	ck_assert_int_eq(config_reload(running, next, path, &keys_changed, &failure), -EINVAL);
	ck_assert_msg(strstr(failure.text, " for a server's certificates: ") != NULL, "%s",
		      failure.text);
	config_free(next);
	config_free(running);
}
END_TEST

START_TEST(what_is_no_tls_is_refused)
{
	refused(-EINVAL, "server \"s1\": tls: ", "'maybe'", "server s1 {\ntls = maybe\n}\n");
	refused(-EINVAL, "server \"s1\": tls: ", "without tls-ca", "server s1 {\ntls = yes\n}\n");
	refused(-EINVAL, "server \"s1\": tls-ca: ", "without tls",
		"server s1 {\ntls-ca = \"@/authority.pem\"\n}\n");
	refused(-EINVAL, "server \"s1\": tls-name: ", "without tls",
		"server s1 {\ntls = no\ntls-name = a\n}\n");
	refused(-EINVAL, "server \"s1\": tls-cert: ", "without tls-key",
		"server s1 {\n" TLS_ON "tls-cert = \"@/client.pem\"\n}\n");
	refused(-EPERM, "server \"s1\": tls-key: ", "mode 0644",
		"server s1 {\n" TLS_ON
		"tls-cert = \"@/client.pem\"\ntls-key = \"@/client.key\"\n}\n");
	refused(-ENOENT, "server \"s1\": tls-ca: ", "nowhere",
		"server s1 {\ntls = yes\ntls-ca = \"@/nowhere\"\n}\n");
	refused(-EINVAL, "server \"s1\": tls-name: ", "'a b'",
		"server s1 {\n" TLS_ON "tls-name = \"a b\"\n}\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_server");
	TCase *tcase = tcase_create("server");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, without_a_section_every_server_is_spoken_to_plainly);
	tcase_add_test(tcase, a_login_is_of_one_server_or_of_all_others);
	tcase_add_test(tcase, what_is_no_login_is_refused);
	tcase_add_test(tcase, what_is_no_section_is_refused);
	tcase_add_test(tcase, tls_is_taken_where_it_is_built_and_refused_where_not);
	tcase_add_loop_test(tcase, a_renewed_certificate_is_not_said_to_be_in_force, 0, 3);
	tcase_add_test(tcase, what_is_no_tls_is_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
