/* test_config.c - agent.conf: what is taken, and that every refusal names file, line, option, what
 * was found and what was expected. */
#include "daemon/config.h"

#include "certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>
#include <sodium.h>

#include "list/secretfile.h"

static char base[64], path[96], host_key[96], psk[96], other_psk[96];
static char trusted[3][64];
static uint8_t host_secret[32];

static void write_mode(const char *file, mode_t mode, const char *text, size_t length)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, length), (ssize_t)length);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void write_key(const char *file, mode_t mode, const uint8_t key[32], const char *end)
{
	char text[64];

	sodium_bin2base64(text, sizeof(text), key, 32, sodium_base64_VARIANT_ORIGINAL);
	strcat(text, end);
	write_mode(file, mode, text, strlen(text));
}

static void set_up(void)
{
	uint8_t key[32], secret[64];

	ck_assert_int_ge(sodium_init(), 0);
	strcpy(base, "/tmp/mcroster-config.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/agent.conf", base);
	snprintf(host_key, sizeof(host_key), "%s/host.key", base);
	snprintf(psk, sizeof(psk), "%s/psk", base);
	snprintf(other_psk, sizeof(other_psk), "%s/psk.old", base);
	randombytes_buf(host_secret, sizeof(host_secret));
	write_key(host_key, 0600, host_secret, "\n");
	memset(key, 7, sizeof(key));
	write_key(psk, 0400, key, "\n");
	memset(key, 9, sizeof(key));
	write_key(other_psk, 0600, key, "");
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(crypto_sign_keypair(key, secret), 0);
		sodium_bin2base64(trusted[i], sizeof(trusted[i]), key, 32,
				  sodium_base64_VARIANT_ORIGINAL);
	}
}

static void tear_down(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", base);
	ck_assert_int_eq(system(command), 0);
}

/* What every good file has, in nine lines; `option` left out. */
static size_t required(char *out, size_t size, const char *without)
{
	const struct {
		const char *option, *value;
	} lines[] = {
	    {"cluster", "web"},	    {"name", "web01"}, {"listen", "10.0.0.1:11280"},
	    {"host-key", host_key}, {"psk", psk},      {"threshold", "1"},
	};
	size_t used = (size_t)snprintf(out, size, "# the agent of web01\n");

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (without == NULL || strcmp(lines[i].option, without) != 0)
			used += (size_t)snprintf(out + used, size - used, "%s = \"%s\"\n",
						 lines[i].option, lines[i].value);
	if (without == NULL || strcmp(without, "trusted-keys") != 0)
		used +=
		    (size_t)snprintf(out + used, size - used, "trusted-keys = {\"%s\",\n\"%s\"}\n",
				     trusted[0], trusted[1]);
	return used;
}

/* Writes the required options (nine lines) without one of them, then `format`. */
__attribute__((format(printf, 2, 3))) static void write_config(const char *without,
							       const char *format, ...)
{
	char text[4096];
	size_t used = required(text, sizeof(text), without);
	va_list arguments;

	va_start(arguments, format);
	used += (size_t)vsnprintf(text + used, sizeof(text) - used, format, arguments);
	va_end(arguments);
	ck_assert_uint_lt(used, sizeof(text));
	write_mode(path, 0644, text, used);
}

static struct config *load(void)
{
	struct config *config = NULL;
	struct failure failure;
	int error = config_load(path, &config, &failure);

	ck_assert_msg(error == 0, "%s", error == 0 ? "" : failure.text);
	return config;
}

/* The file is refused; the sentence begins with the path, `:line: option: found` (line 0: none)
 * and contains `word`. */
static void refused(int error, int line, const char *option, const char *word)
{
	struct config *config = (struct config *)base;
	struct failure failure;
	char begin[256];

	failure.text[0] = '\0';
	ck_assert_int_eq(config_load(path, &config, &failure), error);
	ck_assert_ptr_eq(config, base);
	if (line > 0)
		snprintf(begin, sizeof(begin), "%s:%d: %s%s", path, line, option,
			 option[0] != '\0' ? ": " : "");
	else
		snprintf(begin, sizeof(begin), "%s: %s", path, option);
	ck_assert_msg(strncmp(failure.text, begin, strlen(begin)) == 0, "'%s' does not begin '%s'",
		      failure.text, begin);
	ck_assert_msg(strstr(failure.text, word) != NULL, "'%s' lacks '%s'", failure.text, word);
	ck_assert_msg(strstr(failure.text, "found") != NULL &&
			  strstr(failure.text, "expected") != NULL,
		      "%s", failure.text);
	ck_assert_ptr_null(strchr(failure.text, '\n'));
}

START_TEST(the_least_file_gets_the_defaults)
{
	uint8_t public[32];
	struct config *c;

	write_config(NULL, "%s", "");
	c = load();
	ck_assert_str_eq(c->cluster, "web");
	ck_assert_str_eq(c->name, "web01");
	ck_assert_str_eq(c->listen, "10.0.0.1:11280");
	ck_assert_str_eq(c->state_directory, "/var/lib/mcroster/web");
	ck_assert_str_eq(c->control_socket, "/run/mcroster/web.control");
	ck_assert_str_eq(c->segment, "/mcroster.web");
	ck_assert_uint_eq(c->trust.count, 2);
	ck_assert_uint_eq(c->trust.threshold, 1);
	ck_assert_uint_eq(c->rate_keys, 0);
	ck_assert_uint_eq(c->rate_bytes, 0);
	ck_assert(c->adaptive);
	ck_assert_uint_eq(c->boot_wait_ms, 30000);
	ck_assert_mem_eq(c->host_secret, host_secret, 32);
	ck_assert_int_eq(crypto_scalarmult_base(public, host_secret), 0);
	ck_assert_mem_eq(c->host_public, public, 32);
	ck_assert_uint_eq(c->psk[31], 7);
	ck_assert_ptr_null(c->previous_psk);
	ck_assert_str_eq(c->discovery, "");
	config_free(c);
	config_free(NULL);
}
END_TEST

START_TEST(every_option_is_taken)
{
	struct config *c;

	write_config("threshold",
		     "threshold = 2\nstate-directory = \"/srv/mcroster\"\n"
		     "control-socket = '/srv/control'\nsegment = \"/mcroster.test-1\"\n"
		     "clients-socket = '/srv/clients'\nclients-mode = 0660\nclients-per-user = 5\n"
		     "previous-psk = \"%s\"\nrate-keys = 20000\nrate-bytes = 5000000000\n"
		     "rate-adaptive = 0\nboot-wait = 0\nmetrics = \"127.8.9.10:9464\"\n",
		     other_psk);
	c = load();
	ck_assert_str_eq(c->state_directory, "/srv/mcroster");
	ck_assert_str_eq(c->control_socket, "/srv/control");
	ck_assert_str_eq(c->segment, "/mcroster.test-1");
	ck_assert_str_eq(c->clients_socket, "/srv/clients");
	ck_assert_uint_eq(c->clients_mode, 0660);
	ck_assert_uint_eq(c->clients_per_user, 5);
	ck_assert_uint_eq(c->trust.threshold, 2);
	ck_assert_uint_eq(c->rate_keys, 20000);
	ck_assert_uint_eq(c->rate_bytes, 5000000000);
	ck_assert(!c->adaptive);
	ck_assert_uint_eq(c->boot_wait_ms, 0);
	ck_assert_str_eq(c->metrics, "127.8.9.10:9464");
	ck_assert_uint_eq(c->previous_psk[0], 9);
	config_free(c);
}
END_TEST

START_TEST(the_sample_names_every_option_and_only_real_ones)
{
	/* The sample's commented options are taken too, so the sample cannot rot. */
	char command[2048];
	struct config *config;
	struct failure failure;
	int error;

	snprintf(
	    command, sizeof(command),
	    "sed -E 's|^#([a-z-]+ = )|\\1|; s|^#(server .*)|\\1|; s|^#(\t.*)|\\1|; s|^#(})|\\1|; "
	    "s|/etc/mcroster/host.key(.old)?|%s|; s|/etc/mcroster/psk.old|%s|; "
	    "s|/etc/mcroster/psk|%s|; s|/etc/mcroster/etcd[a-z.-]*|%s|; "
	    "s|/etc/mcroster/memcached-password|%s|; s|/etc/mcroster/memcached-ca|%s/authority|; "
	    "s|/etc/mcroster/memcached-client|%s/client|; "
	    "s|^register = .*|register = \"etcd\"|' etc/agent.conf >'%s'",
	    host_key, other_psk, psk, psk, psk, base, base, path);
	ck_assert_int_eq(system(command), 0);
	certificates_make(base);
	snprintf(command, sizeof(command), "chmod 600 '%s/client.key'", base);
	ck_assert_int_eq(system(command), 0);
	error = config_load(path, &config, &failure);
	/* All of it was read by then. */
	if (error == -ENOTSUP && strstr(failure.text, "TLS=1") != NULL)
		return;
	ck_assert_msg(error == 0, "%s", error == 0 ? "" : failure.text);
	ck_assert_ptr_nonnull(mc_access_find(&config->access, "cache01")->tls);
	ck_assert_ptr_nonnull(config->previous_psk);
	ck_assert_mem_eq(config->previous_host_public, config->host_public, 32);
	ck_assert_ptr_nonnull(config->etcd.password);
	config_free(config);
}
END_TEST

START_TEST(discovery_is_for_this_host_only)
{
	static const char *const good[] = {"127.0.0.1:11214", "127.8.9.10:1", "[::1]:65535"};
	static const char *const bad[] = {"0.0.0.0:11214",
					  "10.0.0.1:11214",
					  "128.0.0.1:11214",
					  "[::]:11214",
					  "[2001:db8::1]:11214",
					  "[::ffff:127.0.0.1]:11214",
					  "localhost:11214",
					  "127.0.0.1",
					  "127.0.0.1:0",
					  "11214",
					  ""};
	struct config *c;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		write_config(NULL, "discovery = \"%s\"\n", good[i]);
		c = load();
		ck_assert_str_eq(c->discovery, good[i]);
		config_free(c);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		write_config(NULL, "discovery = \"%s\"\n", bad[i]);
		refused(-EINVAL, 10, "discovery", "a loopback address and a port");
	}
}
END_TEST

START_TEST(an_unknown_key_is_refused_by_name)
{
	write_config(NULL, "rate-kyes = 5\n");
	refused(-EINVAL, 10, "rate-kyes", "rate-keys");
	/* libconfuse's own include() would read another file. */
	write_config(NULL, "include(\"/etc/passwd\")\n");
	refused(-EINVAL, 10, "include", "unknown option");
}
END_TEST

START_TEST(missing_keys_are_named_all_at_once)
{
	static const char *const each[] = {"cluster", "name",	   "listen",	  "host-key",
					   "psk",     "threshold", "trusted-keys"};

	for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++) {
		write_config(each[i], "%s", "");
		refused(-EINVAL, 0, each[i], "expected");
	}
	write_mode(path, 0644, "\n", 1);
	refused(-EINVAL, 0, "cluster, name, listen, host-key, psk, trusted-keys, threshold",
		"expected");
}
END_TEST

START_TEST(an_option_given_twice_is_refused)
{
	write_config(NULL, "name = \"web02\"\n");
	refused(-EINVAL, 10, "name", "line 3");
	write_config(NULL, "trusted-keys = {\"%s\"}\n", trusted[2]);
	refused(-EINVAL, 10, "trusted-keys", "second");
}
END_TEST

START_TEST(what_is_not_an_option_line_is_refused_with_its_line)
{
	static const char *const bad[] = {"rate-keys 5\n",     "= 3\n",
					  "rate-keys = \"5\n", "{\n",
					  "rate-keys = {5}\n", "rate-keys =\n"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct config *config = NULL;
		struct failure failure;
		char begin[128];

		write_config(NULL, "%s", bad[i]);
		ck_assert_int_eq(config_load(path, &config, &failure), -EINVAL);
		snprintf(begin, sizeof(begin), "%s:1", path); /* lines 10 and 11 */
		ck_assert_msg(strncmp(failure.text, begin, strlen(begin)) == 0, "%s", failure.text);
		ck_assert_msg(strstr(failure.text, "expected") != NULL, "%s", failure.text);
	}
}
END_TEST

START_TEST(values_out_of_bounds_are_refused)
{
	char long_text[400];
	const struct {
		const char *option, *value, *word;
	} bad[] = {
	    {"cluster", "", "letters"},
	    {"cluster", "a b", "'a b'"},
	    {"cluster", "../etc", "'../etc'"},
	    {"cluster", "a/b", "'a/b'"},
	    {"cluster", long_text, "63"},
	    {"name", "-x", "'-x'"},
	    {"name", "", "letters"},
	    {"listen", "localhost:11280", "numeric"},
	    {"listen", "10.0.0.1", "10.0.0.1"},
	    {"listen", "10.0.0.1:0", "10.0.0.1:0"},
	    {"listen", "10.0.0.1:65536", "65536"},
	    {"listen", long_text, "numeric"},
	    {"state-directory", "var/lib", "absolute"},
	    {"state-directory", long_text, "255"},
	    {"control-socket", "x", "absolute"},
	    {"control-socket", long_text, "107"},
	    {"clients-socket", "x", "absolute"},
	    {"clients-socket", long_text, "107"},
	    {"clients-mode", "rw", "octal"},
	    {"clients-mode", "0668", "octal"},
	    {"clients-mode", "4666", "octal"},
	    {"clients-per-user", "0", "from 1"},
	    {"clients-per-user", "16385", "16384"},
	    {"segment", "mcroster", "slash"},
	    {"segment", "/", "slash"},
	    {"segment", "/a/b", "slash"},
	    {"segment", "/.", "slash"},
	    {"segment", long_text, "slash"},
	    {"host-key", "host.key", "absolute"},
	    {"host-key", long_text, "255"},
	    {"threshold", "0", "from 1 to 2"},
	    {"threshold", "3", "from 1 to 2"},
	    {"threshold", "1x", "'1x'"},
	    {"threshold", "", "''"},
	    {"rate-keys", "-1", "'-1'"},
	    {"rate-keys", " 1", "' 1'"},
	    {"rate-keys", "0x10", "'0x10'"},
	    {"rate-keys", "99999999999999999999999", "from 0"},
	    {"boot-wait", "3600001", "3600000"},
	    {"boot-wait", "30s", "'30s'"},
	    {"metrics", "0.0.0.0:9464", "loopback"},
	    {"metrics", "10.0.0.1:9464", "loopback"},
	    {"metrics", "[::]:9464", "loopback"},
	    {"metrics", "[::ffff:127.0.0.1]:9464", "loopback"},
	    {"metrics", "localhost:9464", "loopback"},
	    {"metrics", "127.0.0.1", "port"},
	    {"metrics", "9464", "127.0.0.1:9464"},
	    {"metrics", "", "loopback"},
	};

	memset(long_text, 'l', sizeof(long_text) - 1);
	long_text[0] = '/';
	long_text[sizeof(long_text) - 1] = '\0';
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[4096];
		size_t used = required(text, sizeof(text), bad[i].option);
		int line = 1;

		for (size_t j = 0; j < used; j++)
			line += text[j] == '\n';
		write_config(bad[i].option, "%s = \"%s\"\n", bad[i].option, bad[i].value);
		refused(-EINVAL, line, bad[i].option, bad[i].word);
	}
}
END_TEST

START_TEST(trusted_keys_are_real_distinct_and_canonical)
{
	char many[33 * 64] = "", spare[64];
	uint8_t zero[32] = {0};

	write_config("trusted-keys", "trusted-keys = {}\n");
	refused(-EINVAL, 0, "trusted-keys", "nothing");
	write_config("trusted-keys", "trusted-keys = {\"%s\", \"%s\"}\n", trusted[0], trusted[0]);
	refused(-EINVAL, 8, "trusted-keys", "once");
	write_config("trusted-keys", "trusted-keys = {\"%s\", \"abc\"}\n", trusted[0]);
	refused(-EINVAL, 8, "trusted-keys", "'abc'");
	write_config("trusted-keys", "trusted-keys = {\"%.43s\"}\n", trusted[0]);
	refused(-EINVAL, 8, "trusted-keys", "base64");
	write_config("trusted-keys", "trusted-keys = {\"%s \"}\n", trusted[0]);
	refused(-EINVAL, 8, "trusted-keys", "base64");
	/* The last character before the padding carries two bits that decode to nothing. */
	strcpy(spare, trusted[0]);
	spare[42]++;
	write_config("trusted-keys", "trusted-keys = {\"%s\"}\n", spare);
	refused(-EINVAL, 8, "trusted-keys", "base64");
	sodium_bin2base64(spare, sizeof(spare), zero, 32, sodium_base64_VARIANT_ORIGINAL);
	write_config("trusted-keys", "trusted-keys = {\"%s\"}\n", spare);
	refused(-EINVAL, 8, "trusted-keys", "Ed25519");
	for (int i = 0; i < 33; i++)
		strcat(strcat(strcat(many, "\""), trusted[0]), i < 32 ? "\"," : "\"");
	write_config("trusted-keys", "trusted-keys = {%s}\n", many);
	refused(-EINVAL, 8, "trusted-keys", "33 keys");
}
END_TEST

START_TEST(a_key_file_that_others_may_read_is_refused)
{
	static const mode_t bad[] = {0640, 0604, 0660, 0644, 0700, 0601};

	write_config(NULL, "%s", "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char mode[8];

		snprintf(mode, sizeof(mode), "%04o", (unsigned)bad[i]);
		ck_assert_int_eq(chmod(psk, bad[i]), 0);
		refused(-EPERM, 6, "psk", mode);
		refused(-EPERM, 6, "psk", psk);
	}
}
END_TEST

START_TEST(a_key_file_of_somebody_else_is_refused)
{
	int status;
	pid_t child;

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: a_key_file_of_somebody_else_is_refused (needs root)\n");
		return;
	}
	/* Root's and our own are taken, anybody else's not, whoever may read it. */
	write_config(NULL, "%s", "");
	ck_assert_int_eq(chown(host_key, 65534, 65534), 0);
	refused(-EPERM, 5, "host-key", "uid 65534");
	ck_assert_int_eq(chown(psk, 65534, 65534), 0);
	ck_assert_int_eq(chmod(base, 0755), 0);
	child = fork();
	if (child == 0) {
		struct config *config;

		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(2);
		_exit(config_load(path, &config, NULL) == 0 ? 0 : 3);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_key_file_with_anything_but_one_key_is_refused)
{
	uint8_t zero[32] = {0};
	char text[200];
	size_t good;

	write_config(NULL, "%s", "");
	memset(text, '\0', sizeof(text));
	sodium_bin2base64(text, sizeof(text), host_secret, 32, sodium_base64_VARIANT_ORIGINAL);
	good = strlen(text);
	strcpy(text + good, "\n\n");
	for (size_t length = 0; length <= good + 2; length++) {
		struct config *config;

		write_mode(psk, 0600, text, length);
		if (length < good || length == good + 2) {
			refused(-EINVAL, 6, "psk", psk);
			continue;
		}
		config = load();
		ck_assert_mem_eq(config->psk, host_secret, 32);
		config_free(config);
	}
	memset(text + good, 'A', sizeof(text) - good);
	write_mode(psk, 0600, text, sizeof(text));
	refused(-EINVAL, 6, "psk", "one line");
	write_key(psk, 0600, zero, "\n");
	refused(-EINVAL, 6, "psk", "zeros");
	ck_assert_int_eq(unlink(psk), 0);
	ck_assert_int_eq(mkfifo(psk, 0600), 0);
	refused(-EINVAL, 6, "psk", "regular");
}
END_TEST

START_TEST(no_refusal_shows_a_secret)
{
	struct config *config;
	struct failure failure;
	char text[64];

	write_config(NULL, "%s", "");
	sodium_bin2base64(text, sizeof(text), host_secret, 32, sodium_base64_VARIANT_ORIGINAL);
	text[43] = '!';
	write_mode(host_key, 0600, text, 44);
	ck_assert_int_eq(config_load(path, &config, &failure), -EINVAL);
	text[8] = '\0';
	ck_assert_ptr_null(strstr(failure.text, text));
}
END_TEST

START_TEST(files_that_are_not_there_are_told_apart)
{
	struct config *config;
	struct failure failure;

	ck_assert_int_eq(config_load(path, &config, &failure), -ENOENT);
	ck_assert_ptr_nonnull(strstr(failure.text, path));
	write_config(NULL, "%s", "");
	ck_assert_int_eq(unlink(psk), 0);
	ck_assert_int_eq(config_load(path, &config, &failure), -ENOENT);
	ck_assert_msg(strstr(failure.text, ":6: psk: ") != NULL, "%s", failure.text);
	ck_assert_ptr_nonnull(strstr(failure.text, psk));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	refused(-EINVAL, 0, "", "regular");
}
END_TEST

START_TEST(a_file_over_the_bound_is_refused)
{
	write_config(NULL, "%s", "");
	ck_assert_int_eq(truncate(path, 256 * 1024 + 1), 0);
	refused(-EINVAL, 0, "", "262145 bytes");
}
END_TEST

START_TEST(nothing_is_printed_by_the_parser)
{
	struct config *config;
	struct failure failure;
	char file[96];
	struct stat st;
	int fd, kept = dup(STDERR_FILENO);

	snprintf(file, sizeof(file), "%s/stderr", base);
	fd = open(file, O_WRONLY | O_CREAT, 0600);
	write_config(NULL, "nonsense {\n");
	fflush(stderr);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(config_load(path, &config, &failure), -EINVAL);
	fflush(stderr);
	ck_assert_int_eq(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	close(fd);
	close(kept);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("daemon/config");
	TCase *tcase = tcase_create("config");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, the_least_file_gets_the_defaults);
	tcase_add_test(tcase, every_option_is_taken);
	tcase_add_test(tcase, the_sample_names_every_option_and_only_real_ones);
	tcase_add_test(tcase, discovery_is_for_this_host_only);
	tcase_add_test(tcase, an_unknown_key_is_refused_by_name);
	tcase_add_test(tcase, missing_keys_are_named_all_at_once);
	tcase_add_test(tcase, an_option_given_twice_is_refused);
	tcase_add_test(tcase, what_is_not_an_option_line_is_refused_with_its_line);
	tcase_add_test(tcase, values_out_of_bounds_are_refused);
	tcase_add_test(tcase, trusted_keys_are_real_distinct_and_canonical);
	tcase_add_test(tcase, a_key_file_that_others_may_read_is_refused);
	tcase_add_test(tcase, a_key_file_of_somebody_else_is_refused);
	tcase_add_test(tcase, a_key_file_with_anything_but_one_key_is_refused);
	tcase_add_test(tcase, no_refusal_shows_a_secret);
	tcase_add_test(tcase, files_that_are_not_there_are_told_apart);
	tcase_add_test(tcase, a_file_over_the_bound_is_refused);
	tcase_add_test(tcase, nothing_is_printed_by_the_parser);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
