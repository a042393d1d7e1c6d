/* test_store_etcd_secure.c - an etcd that wants a user and his password, or a client's certificate.
 */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etcd_rig.h"

static const char *auth(const char *token, int expected, const char *path, const char *body)
{
	int status;
	const char *answer = etcd_post(&rig_etcd, path, token, &status, "%s", body);

	ck_assert_msg(status == expected, "%s: %d: %s", path, status, answer);
	return answer;
}

static void auth_enable(void)
{
	char body[256];

	auth(NULL, 200, "/v3/auth/user/add", "{\"name\":\"root\",\"password\":\"r\"}");
	auth(NULL, 200, "/v3/auth/role/add", "{\"name\":\"root\"}");
	auth(NULL, 200, "/v3/auth/user/grant", "{\"user\":\"root\",\"role\":\"root\"}");
	auth(NULL, 200, "/v3/auth/user/add", "{\"name\":\"mc\",\"password\":\"se\\\"cret\"}");
	auth(NULL, 200, "/v3/auth/role/add", "{\"name\":\"mc\"}");
	(void)snprintf(body, sizeof(body),
		       "{\"name\":\"mc\",\"perm\":{\"permType\":\"READWRITE\",\"key\":\"%s\","
		       "\"range_end\":\"%s\"}}",
		       etcd_base64("/mcroster/web/"), etcd_base64("/mcroster/web0"));
	auth(NULL, 200, "/v3/auth/role/grant", body);
	auth(NULL, 200, "/v3/auth/user/grant", "{\"user\":\"mc\",\"role\":\"mc\"}");
	auth(NULL, 200, "/v3/auth/enable", "{}");
}

static void user_set(struct candidate *c, char *password)
{
	strcpy(c->config.etcd.user, "mc");
	c->config.etcd.password = password;
}

START_TEST(a_user_with_his_password_leads_and_one_without_does_not)
{
	static char right[] = "se\"cret", wrong[] = "guess";
	static const char *const slow[] = {"--bcrypt-cost", "4", NULL};

	etcd_start(&rig_etcd, slow);
	auth_enable();
	rig_open(&rig[1], "web02", rig_etcd.url, NULL);
	rig_start(&rig[1], NULL);
	rig_until(strstr(rig[1].trouble, "user name is empty") != NULL);
	rig_open(&rig[2], "web03", rig_etcd.url, NULL);
	user_set(&rig[2], wrong);
	rig_start(&rig[2], NULL);
	rig_until(strstr(rig[2].trouble, "authentication failed") != NULL);
	ck_assert(strstr(rig[2].trouble, "user mc") != NULL);
	ck_assert(strstr(rig[2].trouble, wrong) == NULL);

	rig_open(&rig[0], "web01", rig_etcd.url, NULL);
	user_set(&rig[0], right);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	rig_write_whole(&rig[0], 1, 1);

	/* The tokens are forgotten: a new one is fetched, and nothing is lost by it. */
	etcd_kill(&rig_etcd);
	etcd_start(&rig_etcd, slow);
	rig_write(&rig[0], 1, 2, false);
	rig_until(rig[0].stored == 2 || rig[0].lost > 0);
	rig_until(rig[0].led);
	ck_assert_uint_eq(rig[1].elected + rig[2].elected, 0);
}
END_TEST

START_TEST(authentication_may_be_switched_on_under_way)
{
	static char right[] = "se\"cret";
	static const char *const slow[] = {"--bcrypt-cost", "4", NULL};

	etcd_start(&rig_etcd, slow);
	rig_open(&rig[0], "web01", rig_etcd.url, NULL);
	user_set(&rig[0], right);
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	auth_enable();
	rig_write_whole(&rig[0], 1, 1);
	rig_run_ms(RIG_LEASE_MS);
	ck_assert_uint_eq(rig[0].lost, 0);
}
END_TEST

/* ---- TLS ---- */

static char tls[64], path_buffer[8][128];

static const char *tls_path(const char *name)
{
	static unsigned next;
	char *at = path_buffer[next++ % 8];

	(void)snprintf(at, sizeof(path_buffer[0]), "%s/%s", tls, name);
	return at;
}

static void shell(const char *format, ...)
{
	char command[1024];
	va_list arguments;

	va_start(arguments, format);
	ck_assert_int_lt(vsnprintf(command, sizeof(command), format, arguments),
			 (int)sizeof(command));
	va_end(arguments);
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void authority_make(const char *name)
{
	shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
	      "-subj /CN=%s -keyout %s/%s.key -out %s/%s.pem 2>/dev/null",
	      name, tls, name, tls, name);
}

/* A certificate for 127.0.0.1, of a server or of a client (etcd's gateway is both). */
static void certificate_make(const char *name, const char *authority)
{
	shell("cd %s && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
	      "-subj /CN=%s -keyout %s.key -out %s.csr 2>/dev/null && "
	      "printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth,clientAuth\\n' "
	      ">%s.ext && openssl x509 -req -in %s.csr -CA %s.pem -CAkey %s.key -CAcreateserial "
	      "-days 2 -extfile %s.ext -out %s.pem 2>/dev/null",
	      tls, name, name, name, name, name, authority, authority, name, name);
}

static void tls_set(struct candidate *c, const char *authority, const char *certificate)
{
	(void)snprintf(c->config.etcd.ca, sizeof(c->config.etcd.ca), "%s/%s.pem", tls, authority);
	if (certificate == NULL)
		return;
	(void)snprintf(c->config.etcd.cert, sizeof(c->config.etcd.cert), "%s/%s.pem", tls,
		       certificate);
	(void)snprintf(c->config.etcd.key, sizeof(c->config.etcd.key), "%s/%s.key", tls,
		       certificate);
}

START_TEST(a_client_certificate_opens_the_way_and_a_strange_authority_closes_it)
{
	const char *arguments[] = {
	    "--cert-file",	 NULL, "--key-file", NULL, "--client-cert-auth",
	    "--trusted-ca-file", NULL, NULL};

	strcpy(tls, "/tmp/mcroster-tls.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(tls));
	authority_make("authority");
	authority_make("stranger");
	certificate_make("server", "authority");
	certificate_make("client", "authority");
	certificate_make("alien", "stranger");
	arguments[1] = tls_path("server.pem");
	arguments[3] = tls_path("server.key");
	arguments[6] = tls_path("authority.pem");
	rig_etcd.tls = true;
	etcd_start(&rig_etcd, arguments);

	rig_open(&rig[0], "web01", rig_etcd.url, NULL);
	tls_set(&rig[0], "stranger", "client");
	rig_start(&rig[0], NULL);
	rig_open(&rig[1], "web02", rig_etcd.url, NULL);
	tls_set(&rig[1], "authority", NULL);
	rig_start(&rig[1], NULL);
	rig_open(&rig[2], "web03", rig_etcd.url, NULL);
	tls_set(&rig[2], "authority", "alien");
	rig_start(&rig[2], NULL);
	for (unsigned i = 0; i < RIG_CANDIDATES; i++)
		rig_until(rig[i].trouble[0] != '\0');
	rig_until(strstr(rig[0].troubles, "certificate") != NULL);
	rig_run_ms(1000);
	for (unsigned i = 0; i < RIG_CANDIDATES; i++)
		ck_assert_uint_eq(rig[i].elected, 0);
	rig_close_all();

	rig_open(&rig[0], "web01", rig_etcd.url, NULL);
	tls_set(&rig[0], "authority", "client");
	rig_start(&rig[0], NULL);
	rig_until(rig[0].led);
	rig_write_whole(&rig[0], 1, 1);
	/* The same server by a name that is not in its certificate. */
	rig_open(&rig[1], "web02", rig_etcd.url, NULL);
	(void)snprintf(rig[1].config.etcd.endpoints[0], CONFIG_PATH_MAX, "https://localhost:%u",
		       rig_etcd.port);
	tls_set(&rig[1], "authority", "client");
	rig_start(&rig[1], NULL);
	rig_until(strstr(rig[1].troubles, "subject name") != NULL);
	ck_assert_str_eq(rig[1].leader, "");
	shell("rm -rf '%s'", tls);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
	    a_user_with_his_password_leads_and_one_without_does_not,
	    authentication_may_be_switched_on_under_way,
	    a_client_certificate_opens_the_way_and_a_strange_authority_closes_it,
	};

	return rig_suite("store_etcd_secure", tests, sizeof(tests) / sizeof(*tests), rig_set_up,
			 rig_tear_down);
}
