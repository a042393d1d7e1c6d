/* config_server.c - see config_reading.h: server "NAME" { ... }, how a memcached is spoken to.
 *
 * Passwords and private keys are in files of their own, which only the agent can read.
 */
#include "daemon/config_reading.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "list/secretfile.h"
#include "net/mc_tls.h"

#define HOST_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

struct section {
	const struct config_reading *reading;
	cfg_t *cfg;
	struct failure *failure;
};

static const char *text_of(const struct section *s, enum config_option_id option)
{
	return cfg_getstr(s->cfg, config_options[option].name);
}

/* A section's line is that of its end. */
__attribute__((format(printf, 4, 5))) static int
refuse(const struct section *s, int error, enum config_option_id option, const char *format, ...)
{
	char what[FAILURE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	return failure_set(s->failure, error, "%s:%d: server \"%.63s\": %s: %s", s->reading->path,
			   s->cfg->line, cfg_title(s->cfg), config_options[option].name, what);
}

/* Two options that mean nothing without each other. */
static int both_or_none(const struct section *s, enum config_option_id one,
			enum config_option_id other)
{
	const bool first = text_of(s, one) != NULL;

	if (first == (text_of(s, other) != NULL))
		return 0;
	return refuse(s, EINVAL, first ? one : other,
		      "found it without %s, expected both or neither",
		      config_options[first ? other : one].name);
}

static int path_of(const struct section *s, enum config_option_id option,
		   int (*check)(const char *path, struct failure *failure), const char **path)
{
	const char *text = text_of(s, option);
	struct failure why;
	int error;

	*path = text;
	if (text == NULL)
		return 0;
	if (text[0] != '/' || strlen(text) > CONFIG_PATH_MAX)
		return refuse(s, EINVAL, option,
			      "found '%.200s', expected an absolute path of at most %u bytes", text,
			      CONFIG_PATH_MAX);
	error = check != NULL ? check(text, &why) : 0;
	return error == 0 ? 0 : refuse(s, -error, option, "%s", why.text);
}

/* ---- the login ---- */

/* memcached splits them at the space, and its own file at the colon. */
static bool word_valid(const char *word, const char *without)
{
	const size_t length = strlen(word);

	for (size_t i = 0; i < length; i++)
		if (word[i] <= 0x20 || word[i] >= 0x7f || strchr(without, word[i]) != NULL)
			return false;
	return length > 0 && length <= MC_LOGIN_WORD_MAX;
}

static int login_make(const struct section *s, const char *user, const char *password,
		      struct mc_access *access)
{
	const size_t size = strlen(user) + 1 + strlen(password) + 1;

	if (!word_valid(password, ""))
		return refuse(
		    s, EINVAL, OPTION_SERVER_PASSWORD_FILE,
		    "found something else in it, expected a password of 1 to %u printable "
		    "ASCII characters without a space, as memcached takes it",
		    MC_LOGIN_WORD_MAX);
	access->login = sodium_malloc(size);
	if (access->login == NULL)
		return refuse(s, ENOMEM, OPTION_SERVER_PASSWORD_FILE,
			      "no locked memory for the secret");
	(void)snprintf(access->login, size, "%s %s", user, password);
	return 0;
}

static int take_login(const struct section *s, struct mc_access *access)
{
	const char *user = text_of(s, OPTION_SERVER_USER), *path;
	char *password = NULL;
	struct failure why;
	int error = both_or_none(s, OPTION_SERVER_USER, OPTION_SERVER_PASSWORD_FILE);

	if (error != 0 || user == NULL)
		return error;
	if (!word_valid(user, ":"))
		return refuse(s, EINVAL, OPTION_SERVER_USER,
			      "found '%.140s', expected 1 to %u printable ASCII characters without "
			      "a space and a colon, as memcached takes it",
			      user, MC_LOGIN_WORD_MAX);
	error = path_of(s, OPTION_SERVER_PASSWORD_FILE, NULL, &path);
	if (error != 0)
		return error;
	error = secretfile_password_load(path, MC_LOGIN_WORD_MAX, &password, &why);
	if (error != 0)
		return refuse(s, -error, OPTION_SERVER_PASSWORD_FILE, "%s", why.text);
	error = login_make(s, user, password, access);
	sodium_free(password);
	return error;
}

/* ---- TLS ---- */

static int tls_asked(const struct section *s, bool *asked)
{
	static const enum config_option_id others[] = {OPTION_SERVER_TLS_CA, OPTION_SERVER_TLS_CERT,
						       OPTION_SERVER_TLS_KEY,
						       OPTION_SERVER_TLS_NAME};
	const char *text = text_of(s, OPTION_SERVER_TLS);

	*asked = text != NULL && strcmp(text, "yes") == 0;
	if (text != NULL && !*asked && strcmp(text, "no") != 0)
		return refuse(s, EINVAL, OPTION_SERVER_TLS, "found '%.80s', expected 'yes' or 'no'",
			      text);
	for (unsigned i = 0; !*asked && i < sizeof(others) / sizeof(others[0]); i++)
		if (text_of(s, others[i]) != NULL)
			return refuse(s, EINVAL, others[i],
				      "found it without tls = \"yes\", expected both or neither");
	if (*asked && text_of(s, OPTION_SERVER_TLS_CA) == NULL)
		return refuse(s, EINVAL, OPTION_SERVER_TLS,
			      "found it without tls-ca, expected both: who signs the server's "
			      "certificate?");
	return 0;
}

static int take_tls_name(const struct section *s, struct mc_access *access)
{
	const char *name = text_of(s, OPTION_SERVER_TLS_NAME);
	struct in6_addr address;
	size_t length;

	if (name == NULL)
		return 0;
	length = strlen(name);
	if (length == 0 || length > MC_TLS_NAME_MAX ||
	    (strspn(name, HOST_CHARS) != length && inet_pton(AF_INET6, name, &address) != 1))
		return refuse(s, EINVAL, OPTION_SERVER_TLS_NAME,
			      "found '%.120s', expected a host name or a numeric address without a "
			      "port, such as cache01.example.org",
			      name);
	access->name = strdup(name);
	return access->name != NULL ? 0 : refuse(s, ENOMEM, OPTION_SERVER_TLS_NAME, "no memory");
}

static int take_tls(const struct section *s, struct mc_access *access)
{
	const char *ca, *cert, *key;
	struct failure why;
	bool asked;
	int error = tls_asked(s, &asked);

	if (error != 0 || !asked)
		return error;
	if ((error = both_or_none(s, OPTION_SERVER_TLS_CERT, OPTION_SERVER_TLS_KEY)) != 0 ||
	    (error = path_of(s, OPTION_SERVER_TLS_CA, config_file_readable, &ca)) != 0 ||
	    (error = path_of(s, OPTION_SERVER_TLS_CERT, config_file_readable, &cert)) != 0 ||
	    (error = path_of(s, OPTION_SERVER_TLS_KEY, secretfile_check, &key)) != 0 ||
	    (error = take_tls_name(s, access)) != 0)
		return error;
	error = mc_tls_new(ca, cert, key, &access->tls, &why);
	return error == 0 ? 0 : refuse(s, -error, OPTION_SERVER_TLS, "%s", why.text);
}

/* ---- all sections ---- */

/* What OpenSSL reads but once: so that a later reading can tell that it was renewed. */
static void file_digest(const char *path, crypto_generichash_state *digest)
{
	uint8_t bytes[4096];
	FILE *file = path != NULL ? fopen(path, "re") : NULL;
	size_t got;

	if (file == NULL)
		return;
	(void)setvbuf(file, NULL, _IONBF, 0);
	while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
		(void)crypto_generichash_update(digest, bytes, got);
	(void)fclose(file);
	sodium_memzero(bytes, sizeof(bytes));
}

static void tls_digest(const struct section *s, crypto_generichash_state *digest)
{
	file_digest(text_of(s, OPTION_SERVER_TLS_CA), digest);
	file_digest(text_of(s, OPTION_SERVER_TLS_CERT), digest);
	file_digest(text_of(s, OPTION_SERVER_TLS_KEY), digest);
}

/* So that a later reading can tell whether they were changed. */
static void section_digest(const struct section *s, crypto_generichash_state *digest)
{
	const char *title = cfg_title(s->cfg);

	(void)crypto_generichash_update(digest, (const uint8_t *)title, strlen(title) + 1);
	for (enum config_option_id option = 0; option < OPTION_COUNT; option++) {
		const char *text = config_options[option].in_server ? text_of(s, option) : NULL;
		const uint8_t given = text != NULL;

		(void)crypto_generichash_update(digest, &given, 1);
		if (given)
			(void)crypto_generichash_update(digest, (const uint8_t *)text,
							strlen(text) + 1);
	}
}

static int take_section(const struct section *s, struct mc_access_named *named)
{
	const char *title = cfg_title(s->cfg);
	int error;

	if (strcmp(title, "*") != 0 && !config_name_valid(title))
		return failure_set(s->failure, EINVAL,
				   "%s:%d: found server \"%.80s\", expected a server's name in the "
				   "list, or \"*\" for all that have no section of their own",
				   s->reading->path, s->cfg->line, title);
	(void)snprintf(named->server, sizeof(named->server), "%s", title);
	error = take_login(s, &named->access);
	return error != 0 ? error : take_tls(s, &named->access);
}

int config_take_servers(const struct config_reading *r, struct config *config,
			struct failure *failure)
{
	const char *const name = config_options[OPTION_SERVER].name;
	const unsigned count = cfg_size(r->cfg, name);
	crypto_generichash_state digest, files;
	int error = 0;

	if (count == 0)
		return 0;
	(void)crypto_generichash_init(&digest, NULL, 0, sizeof(config->servers_digest));
	(void)crypto_generichash_init(&files, NULL, 0, sizeof(config->tls_digest));
	config->access.named = calloc(count, sizeof(*config->access.named));
	if (config->access.named == NULL)
		return failure_set(failure, ENOMEM, "%s: no memory", r->path);
	for (unsigned i = 0; error == 0 && i < count; i++) {
		const struct section s = {r, cfg_getnsec(r->cfg, name, i), failure};

		error = take_section(&s, &config->access.named[config->access.count++]);
		section_digest(&s, &digest);
		tls_digest(&s, &files);
	}
	(void)crypto_generichash_final(&digest, config->servers_digest,
				       sizeof(config->servers_digest));
	(void)crypto_generichash_final(&files, config->tls_digest, sizeof(config->tls_digest));
	return error;
}
