/* test_access.c - connections to real memcacheds that want a login (-Y) or TLS (-Z): those that are
 * let in, and what is said of those that are not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <check.h>
#include <sodium.h>

#include "certificates.h"
#include "memcached_process.h"
#include "net/mc_conn.h"
#include "net/mc_tls.h"

#define PATIENCE_S  20
#define TIMEOUT_MS  5000u
#define VALUE_BYTES 700000u
#define COMMANDS    5000u

static char directory[64];
static struct memcached_process process;
static struct event_base *base;
static struct event *tick;
static struct mc_conn *conn;
static bool closed;
static unsigned answered;
static size_t value_bytes;
static char why[200];

static void on_ready(void *context)
{
	(void)context;
}

static void on_reply(void *context, void *command, const struct mc_reply *reply)
{
	(void)context;
	(void)command;
	if (reply->code == MC_LOST)
		return;
	answered++;
	if (reply->code != MC_VA)
		return;
	value_bytes = reply->value_bytes;
	for (size_t i = 0; i < value_bytes; i++)
		if (reply->value[i] != 'a' + (char)(i % 23))
			ck_abort_msg("byte %zu is another", i);
}

static void on_closed(void *context, const char *said)
{
	(void)context;
	closed = true;
	conn = NULL;
	(void)snprintf(why, sizeof(why), "%s", said);
}

static const struct mc_conn_events events = {
    .ready = on_ready, .reply = on_reply, .closed = on_closed};

static void nothing(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
}

static const char *in(const char *name)
{
	static char path[4][128];
	static unsigned next;
	char *at = path[next++ % 4];

	(void)snprintf(at, sizeof(path[0]), "%s/%s", directory, name);
	return at;
}

static void once_set_up(void)
{
	FILE *file;

	ck_assert_int_ge(sodium_init(), 0);
	strcpy(directory, "/tmp/mcroster-access.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	certificates_make(directory);
	file = fopen(in("auth"), "w");
	ck_assert_ptr_nonnull(file);
	fputs("other:battery\nmcroster:horse\n", file);
	fclose(file);
	ck_assert_int_eq(chmod(in("auth"), 0644), 0);
}

static void once_tear_down(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	ck_assert_int_eq(system(command), 0);
}

static void set_up(void)
{
	struct timeval often = {.tv_usec = 10000};

	base = event_base_new();
	tick = event_new(base, -1, EV_PERSIST, nothing, NULL);
	event_add(tick, &often);
	memset(&process, 0, sizeof(process));
}

static void tear_down(void)
{
	mc_conn_close(conn);
	memcached_kill(&process);
	event_free(tick);
	event_base_free(base);
}

/* ---- the server ---- */

static void server_start(const char *certificate, bool login, bool wants_client)
{
	const char *arguments[8] = {NULL};
	char options[512];
	unsigned n = 0;

	if (certificate != NULL) {
		int used =
		    snprintf(options, sizeof(options), "ssl_chain_cert=%s/%s.pem,ssl_key=%s/%s.key",
			     directory, certificate, directory, certificate);

		if (wants_client)
			(void)snprintf(options + used, sizeof(options) - (size_t)used,
				       ",ssl_verify_mode=2,ssl_ca_cert=%s", in("authority.pem"));
		arguments[n++] = "-Z";
		arguments[n++] = "-o";
		arguments[n++] = options;
	}
	if (login) {
		arguments[n++] = "-Y";
		arguments[n++] = in("auth");
	}
	memcached_start(&process, arguments);
}

/* ---- the client ---- */

static void command_send(const char *text, size_t length)
{
	char *room = mc_conn_room(conn, length);

	ck_assert_ptr_nonnull(room);
	memcpy(room, text, length);
	mc_conn_send(conn, length, NULL);
}

/* Asked before it is open: what is sent then waits. */
static void dial(const struct mc_access *access)
{
	struct failure failure;

	closed = false;
	answered = 0;
	why[0] = '\0';
	ck_assert_int_eq(mc_conn_open(base, process.address, access, TIMEOUT_MS, 1u << 20, &events,
				      NULL, &conn, &failure),
			 0);
	command_send("version\r\n", 9);
}

static void turn_until_answered(unsigned wanted)
{
	time_t began = time(NULL);

	while (!closed && answered < wanted) {
		ck_assert_msg(time(NULL) - began < PATIENCE_S, "%u answers", answered);
		event_base_loop(base, EVLOOP_ONCE);
	}
}

static void let_in(const struct mc_access *access)
{
	dial(access);
	turn_until_answered(1);
	ck_assert_msg(!closed, "%s", why);
}

static void turned_away(const struct mc_access *access, const char *word)
{
	dial(access);
	turn_until_answered(1);
	ck_assert_msg(closed, "it is let in");
	ck_assert_msg(strstr(why, word) != NULL, "'%s' lacks '%s'", why, word);
	ck_assert_ptr_null(strstr(why, "horse"));
}

static struct mc_access login(const char *text)
{
	return (struct mc_access){.login = (char *)(uintptr_t)text};
}

static struct mc_access tls(const char *ca, bool certificate, const char *name)
{
	struct mc_access access = {.name = (char *)(uintptr_t)name};
	struct failure failure = {{0}};
	int error = mc_tls_new(in(ca), certificate ? in("client.pem") : NULL,
			       certificate ? in("client.key") : NULL, &access.tls, &failure);

	ck_assert_msg(error == 0, "%s", failure.text);
	return access;
}

static bool built(void)
{
	struct mc_tls *tls_made = NULL;
	struct failure failure;
	int error = mc_tls_new(in("authority.pem"), NULL, NULL, &tls_made, &failure);

	mc_tls_free(tls_made);
	return error != -ENOTSUP;
}

/* ---- the login ---- */

START_TEST(a_login_lets_in)
{
	struct mc_access access = login("mcroster horse");

	server_start(NULL, true, false);
	let_in(&access);
	mc_conn_close(conn);
	conn = NULL;
	let_in(&access);
}
END_TEST

START_TEST(a_wrong_password_is_refused)
{
	struct mc_access wrong = login("mcroster horst"), other = login("other horse");

	server_start(NULL, true, false);
	turned_away(&wrong, "refuses the user and the password of agent.conf");
	turned_away(&other, "refuses the user and the password of agent.conf");
}
END_TEST

START_TEST(no_password_where_one_is_wanted_is_said)
{
	server_start(NULL, true, false);
	turned_away(NULL, "wants a user and a password, and was given none");
}
END_TEST

START_TEST(a_password_is_given_to_no_server_that_wants_none)
{
	struct mc_access access = login("mcroster horse");

	server_start(NULL, false, false);
	turned_away(&access, "wants no user and password");
	ck_assert_uint_eq(memcached_items(&process), 0);
}
END_TEST

/* ---- TLS ---- */

START_TEST(tls_without_being_built_is_refused)
{
	struct mc_tls *none = NULL;
	struct failure failure;

	if (built())
		return;
	ck_assert_int_eq(mc_tls_new(in("authority.pem"), NULL, NULL, &none, &failure), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(failure.text, "TLS=1"));
}
END_TEST

static void tls_let_in(const char *ca, bool certificate, const char *name, const char *password)
{
	struct mc_access access = tls(ca, certificate, name);

	access.login = (char *)(uintptr_t)password;
	let_in(&access);
	mc_conn_close(conn);
	conn = NULL;
	mc_tls_free(access.tls);
}

static void tls_turned_away(const char *ca, bool certificate, const char *name, const char *word)
{
	struct mc_access access = tls(ca, certificate, name);

	turned_away(&access, word);
	mc_tls_free(access.tls);
}

START_TEST(tls_lets_in_by_address_or_name)
{
	if (!built())
		return;
	server_start("server", false, false);
	tls_let_in("authority.pem", false, NULL, NULL);
	tls_let_in("authority.pem", false, "cache01.example.org", NULL);
	tls_let_in("authority.pem", true, NULL, NULL);
}
END_TEST

START_TEST(a_certificate_that_is_not_the_server_s_is_refused)
{
	if (!built())
		return;
	server_start("other", false, false);
	tls_turned_away("authority.pem", false, NULL, "expected one for 127.0.0.1");
	tls_turned_away("authority.pem", false, "cache01.example.org", "hostname mismatch");
	tls_turned_away("stranger.pem", false, "10.9.8.7", "certificate is refused");
	tls_let_in("authority.pem", false, "10.9.8.7", NULL);
}
END_TEST

START_TEST(an_expired_certificate_is_refused)
{
	if (!built())
		return;
	server_start("expired", false, false);
	tls_turned_away("authority.pem", false, NULL, "certificate has expired");
}
END_TEST

START_TEST(who_speaks_plain_where_tls_is_asked_is_named_and_the_other_way_round)
{
	if (!built())
		return;
	server_start("server", false, false);
	turned_away(NULL, "TLS");
	memcached_kill(&process);
	server_start(NULL, false, false);
	tls_turned_away("authority.pem", false, NULL, "TLS");
}
END_TEST

START_TEST(a_server_that_wants_our_certificate_gets_it)
{
	if (!built())
		return;
	server_start("server", true, true);
	tls_turned_away("authority.pem", false, NULL, "certificate");
	tls_let_in("authority.pem", true, NULL, "mcroster horse");
}
END_TEST

START_TEST(the_password_goes_to_no_server_that_proves_nothing)
{
	struct mc_access access;

	if (!built())
		return;
	server_start("other", true, false);
	access = tls("authority.pem", false, NULL);
	access.login = (char *)(uintptr_t) "mcroster horse";
	turned_away(&access, "certificate is refused");
	mc_tls_free(access.tls);
}
END_TEST

/* More than a record, a buffer and a turn of the loop hold, both ways. */
START_TEST(much_goes_through_tls)
{
	static char set[VALUE_BYTES + 64];
	struct mc_access access;
	int head;

	if (!built())
		return;
	server_start("server", false, false);
	access = tls("authority.pem", false, NULL);
	let_in(&access);
	head = snprintf(set, sizeof(set), "ms large %u\r\n", VALUE_BYTES);
	for (size_t i = 0; i < VALUE_BYTES; i++)
		set[(size_t)head + i] = 'a' + (char)(i % 23);
	memcpy(set + head + VALUE_BYTES, "\r\n", 2);
	answered = 0;
	for (unsigned i = 0; i < 8; i++) {
		command_send(set, (size_t)head + VALUE_BYTES + 2);
		command_send("mg large v\r\n", 12);
	}
	turn_until_answered(16);
	ck_assert_msg(!closed, "%s", why);
	ck_assert_uint_eq(value_bytes, VALUE_BYTES);
	for (unsigned i = 0; i < COMMANDS; i++)
		command_send("mg small v\r\n", 12);
	turn_until_answered(16 + COMMANDS);
	ck_assert_msg(!closed, "%s", why);
	mc_conn_close(conn);
	conn = NULL;
	mc_tls_free(access.tls);
}
END_TEST

START_TEST(files_that_are_no_certificates_are_refused)
{
	struct mc_tls *none = NULL;
	struct failure failure;

	if (!built())
		return;
	ck_assert_int_eq(mc_tls_new(in("auth"), NULL, NULL, &none, &failure), -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "/auth: found"));
	ck_assert_int_eq(
	    mc_tls_new(in("authority.pem"), in("auth"), in("client.key"), &none, &failure),
	    -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "/auth: found"));
	/* A key of another certificate. */
	ck_assert_int_eq(
	    mc_tls_new(in("authority.pem"), in("client.pem"), in("other.key"), &none, &failure),
	    -EINVAL);
	ck_assert_ptr_nonnull(strstr(failure.text, "/other.key: found"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access");
	TCase *plain = tcase_create("login"), *secure = tcase_create("tls");
	SRunner *runner;
	int failed;

	tcase_add_unchecked_fixture(plain, once_set_up, once_tear_down);
	tcase_add_checked_fixture(plain, set_up, tear_down);
	tcase_add_test(plain, a_login_lets_in);
	tcase_add_test(plain, a_wrong_password_is_refused);
	tcase_add_test(plain, no_password_where_one_is_wanted_is_said);
	tcase_add_test(plain, a_password_is_given_to_no_server_that_wants_none);
	tcase_add_test(plain, tls_without_being_built_is_refused);
	tcase_add_unchecked_fixture(secure, once_set_up, once_tear_down);
	tcase_add_checked_fixture(secure, set_up, tear_down);
	tcase_add_test(secure, tls_lets_in_by_address_or_name);
	tcase_add_test(secure, a_certificate_that_is_not_the_server_s_is_refused);
	tcase_add_test(secure, an_expired_certificate_is_refused);
	tcase_add_test(secure,
		       who_speaks_plain_where_tls_is_asked_is_named_and_the_other_way_round);
	tcase_add_test(secure, a_server_that_wants_our_certificate_gets_it);
	tcase_add_test(secure, the_password_goes_to_no_server_that_proves_nothing);
	tcase_add_test(secure, much_goes_through_tls);
	tcase_add_test(secure, files_that_are_no_certificates_are_refused);
	suite_add_tcase(suite, plain);
	suite_add_tcase(suite, secure);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
