/* config.c - see config.h: reads agent.conf and makes a struct config of it, or one sentence.
 *
 * libconfuse splits the file into options and strings; every value is taken as a string and judged
 * here, so that each refusal can say what was found and what was expected.  The files that hold
 * secrets are secretfile.h's.  Not reentrant (libconfuse's scanner is not); called from the loop's
 * thread.
 */
#include "daemon/config_reading.h"
#include "daemon/mover_pace.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <sodium.h>

#include "core/clients.h"
#include "core/owed.h"
#include "list/conftext.h"
#include "list/secretfile.h"

#define NAME_CHARS		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define CONFIG_BOOT_WAIT_MS	30000u
#define CONFIG_BOOT_WAIT_MAX	3600000u
#define CONFIG_RATE_MAX		MOVER_PACE_RATE_MAX
#define CONFIG_CLIENTS_MODE	0666u
#define CONFIG_CLIENTS_PER_USER 2048u
#define OWED_SHARES		4u /* by default one user may have one of them */

const struct config_option config_options[OPTION_COUNT] = {
    [OPTION_CLUSTER] = {"cluster", true, false},
    [OPTION_NAME] = {"name", true, false},
    [OPTION_LISTEN] = {"listen", true, false},
    [OPTION_STATE_DIRECTORY] = {"state-directory", false, false},
    [OPTION_CONTROL_SOCKET] = {"control-socket", false, false},
    [OPTION_CLIENTS_SOCKET] = {"clients-socket", false, false},
    [OPTION_CLIENTS_MODE] = {"clients-mode", false, false},
    [OPTION_CLIENTS_PER_USER] = {"clients-per-user", false, false},
    [OPTION_OWED_MAX] = {"owed-max", false, false},
    [OPTION_OWED_PER_USER] = {"owed-per-user", false, false},
    [OPTION_DISCOVERY] = {"discovery", false, false},
    [OPTION_SEGMENT] = {"segment", false, false},
    [OPTION_HOST_KEY] = {"host-key", true, false},
    [OPTION_PREVIOUS_HOST_KEY] = {"previous-host-key", false, false},
    [OPTION_PSK] = {"psk", true, false},
    [OPTION_PREVIOUS_PSK] = {"previous-psk", false, false},
    [OPTION_TRUSTED_KEYS] = {"trusted-keys", true, false},
    [OPTION_THRESHOLD] = {"threshold", true, false},
    [OPTION_RATE_KEYS] = {"rate-keys", false, false},
    [OPTION_RATE_BYTES] = {"rate-bytes", false, false},
    [OPTION_ADAPTIVE] = {"rate-adaptive", false, false},
    [OPTION_BOOT_WAIT] = {"boot-wait", false, false},
    [OPTION_METRICS] = {"metrics", false, false},
    [OPTION_ON_CHANGE] = {"on-change", false, false},
    [OPTION_ON_CHANGE_TIMEOUT] = {"on-change-timeout", false, false},
    [OPTION_REGISTER] = {"register", false, false},
    [OPTION_ETCD_ENDPOINTS] = {"etcd-endpoints", false, false},
    [OPTION_ETCD_CA] = {"etcd-ca", false, false},
    [OPTION_ETCD_CERT] = {"etcd-cert", false, false},
    [OPTION_ETCD_KEY] = {"etcd-key", false, false},
    [OPTION_ETCD_USER] = {"etcd-user", false, false},
    [OPTION_ETCD_PASSWORD_FILE] = {"etcd-password-file", false, false},
    [OPTION_ETCD_LEASE] = {"etcd-lease", false, false},
    [OPTION_SERVER] = {"server", false, false},
    [OPTION_SERVER_USER] = {"user", false, true},
    [OPTION_SERVER_PASSWORD_FILE] = {"password-file", false, true},
    [OPTION_SERVER_TLS] = {"tls", false, true},
    [OPTION_SERVER_TLS_CA] = {"tls-ca", false, true},
    [OPTION_SERVER_TLS_CERT] = {"tls-cert", false, true},
    [OPTION_SERVER_TLS_KEY] = {"tls-key", false, true},
    [OPTION_SERVER_TLS_NAME] = {"tls-name", false, true},
};

/* libconfuse hands its callbacks the parser and no context; one file is read at a time. */
static struct config_reading *reading_now;

static void option_names(bool in_server, char *out, size_t out_bytes)
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < OPTION_COUNT && used < out_bytes; i++) {
		int n;

		if (config_options[i].in_server != in_server)
			continue;
		n = snprintf(out + used, out_bytes - used, "%s%s", used > 0 ? ", " : "",
			     config_options[i].name);

		used += n > 0 ? (size_t)n : 0;
	}
}

__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *format,
							   va_list arguments)
{
	struct config_reading *r = reading_now;
	char message[160], names[460], *name;

	if (r->problem[0] != '\0') /* the first one is the cause */
		return;
	(void)vsnprintf(message, sizeof(message), format, arguments);
	if (strncmp(message, "no such option '", 16) == 0) {
		name = message + 16;
		name[strcspn(name, "'")] = '\0';
		option_names(strcmp(cfg_name(cfg), "server") == 0, names, sizeof(names));
		(void)snprintf(r->problem, sizeof(r->problem),
			       "%s:%d: %s: found an unknown option, expected one of %s", r->path,
			       cfg->line, name, names);
		return;
	}
	if (strncmp(message, "found duplicate title", 21) == 0) {
		(void)snprintf(r->problem, sizeof(r->problem),
			       "%s:%d: server: found the name%s twice, expected each once", r->path,
			       cfg->line, message + 21);
		return;
	}
	(void)snprintf(r->problem, sizeof(r->problem),
		       "%s:%d: found %s, expected lines of the form: option = \"value\", or server "
		       "\"name\" { ... }",
		       r->path, cfg->line, message);
}

static bool option_lists(unsigned option)
{
	return option == OPTION_TRUSTED_KEYS || option == OPTION_ETCD_ENDPOINTS ||
	       option == OPTION_ON_CHANGE;
}

/* Called by libconfuse after each value, and once more at the end of a list: remembers the line,
 * refuses a second option of a kind.  Each section has its own, so at its end they are forgotten.
 */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	struct config_reading *r = reading_now;
	unsigned i = 0, expected = cfg_opt_size(opt);

	while (i < OPTION_COUNT && strcmp(config_options[i].name, cfg_opt_name(opt)) != 0)
		i++;
	assert(i < OPTION_COUNT);
	if (i == OPTION_SERVER) {
		for (i = 0; i < OPTION_COUNT; i++)
			if (config_options[i].in_server)
				r->calls[i] = 0, r->line[i] = 0;
		return 0;
	}
	r->calls[i]++;
	if (r->calls[i] == expected || (option_lists(i) && r->calls[i] == expected + 1)) {
		if (r->line[i] == 0)
			r->line[i] = cfg->line;
		return 0;
	}
	(void)snprintf(r->problem, sizeof(r->problem),
		       "%s:%d: %s: found a second one, expected it once (line %d)", r->path,
		       cfg->line, config_options[i].name, r->line[i]);
	return -1;
}

int config_refuse(const struct config_reading *r, enum config_option_id option,
		  struct failure *failure, const char *format, ...)
{
	char what[FAILURE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	return failure_set(failure, EINVAL, "%s:%d: %s: found %s", r->path, r->line[option],
			   config_options[option].name, what);
}

const char *config_text(const struct config_reading *r, enum config_option_id option)
{
	return r->line[option] != 0 ? cfg_getstr(r->cfg, config_options[option].name) : NULL;
}

/* They stand in paths and in the segment's name too. */
bool config_name_valid(const char *name)
{
	const size_t length = strlen(name);

	return length > 0 && length <= LIST_NAME_MAX && strchr("-._", name[0]) == NULL &&
	       strspn(name, NAME_CHARS) == length;
}

static int take_name(const struct config_reading *r, enum config_option_id option,
		     char out[LIST_NAME_MAX + 1], struct failure *failure)
{
	const char *text = config_text(r, option);

	if (!config_name_valid(text))
		return config_refuse(
		    r, option, failure,
		    "'%.80s', expected 1 to %u letters, digits, dots, dashes and underscores, "
		    "beginning with a letter or digit",
		    text, LIST_NAME_MAX);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int take_listen(const struct config_reading *r, char out[LIST_ADDRESS_MAX + 1],
		       struct failure *failure)
{
	const char *text = config_text(r, OPTION_LISTEN);

	if (strlen(text) > LIST_ADDRESS_MAX || !list_address_valid(text))
		return config_refuse(r, OPTION_LISTEN, failure,
				     "'%.120s', expected a numeric address and a port, such as "
				     "10.0.0.1:11280, 0.0.0.0:11280 or [::]:11280",
				     text);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

int config_path(const struct config_reading *r, enum config_option_id option, size_t max,
		const char *fallback, char out[CONFIG_PATH_MAX + 1], struct failure *failure)
{
	const char *text = config_text(r, option);
	size_t length;

	if (text == NULL) {
		(void)snprintf(out, CONFIG_PATH_MAX + 1, "%s", fallback);
		return 0;
	}
	length = strlen(text);
	if (text[0] != '/' || length > max)
		return config_refuse(r, option, failure,
				     "'%.200s', expected an absolute path of at most %zu bytes",
				     text, max);
	memcpy(out, text, length + 1);
	return 0;
}

/* A POSIX shared-memory name is one slash and a name, and libmcroster appends nothing to it. */
static int take_segment(const struct config_reading *r, const char *fallback,
			char out[CONFIG_PATH_MAX + 1], struct failure *failure)
{
	const char *text = config_text(r, OPTION_SEGMENT);
	size_t length;

	if (text == NULL) {
		(void)snprintf(out, CONFIG_PATH_MAX + 1, "%s", fallback);
		return 0;
	}
	length = strlen(text);
	if (length < 2 || length > CONFIG_PATH_MAX - 1 || text[0] != '/' || text[1] == '.' ||
	    strchr(text + 1, '/') != NULL)
		return config_refuse(
		    r, OPTION_SEGMENT, failure,
		    "'%.200s', expected one slash and a name, such as /mcroster.web", text);
	memcpy(out, text, length + 1);
	return 0;
}

int config_number(const struct config_reading *r, enum config_option_id option, uint64_t least,
		  uint64_t most, uint64_t *out, struct failure *failure)
{
	const char *text = config_text(r, option);
	size_t length;
	uint64_t value;

	if (text == NULL) /* *out is the default */
		return 0;
	length = strlen(text);
	value = length > 0 && length <= 15 && strspn(text, "0123456789") == length
		    ? strtoull(text, NULL, 10)
		    : UINT64_MAX;
	if (value < least || value > most)
		return config_refuse(r, option, failure,
				     "'%.80s', expected a whole number from %" PRIu64
				     " to %" PRIu64,
				     text, least, most);
	*out = value;
	return 0;
}

/* Four octal digits, as chmod takes them; who may write may connect. */
static int take_mode(const struct config_reading *r, enum config_option_id option, unsigned *mode,
		     struct failure *failure)
{
	const char *text = config_text(r, option);

	*mode = CONFIG_CLIENTS_MODE;
	if (text == NULL)
		return 0;
	if (strlen(text) != 4 || strspn(text, "01234567") != 4 || text[0] != '0')
		return config_refuse(r, option, failure,
				     "'%.80s', expected a mode in octal, such as 0666 or 0660",
				     text);
	*mode = (unsigned)strtoul(text, NULL, 8);
	return 0;
}

static int take_trust(const struct config_reading *r, struct trust *trust, struct failure *failure)
{
	unsigned count = cfg_size(r->cfg, config_options[OPTION_TRUSTED_KEYS].name);
	uint64_t threshold = 0;

	if (count == 0 || count > TRUST_KEYS_MAX)
		return config_refuse(r, OPTION_TRUSTED_KEYS, failure, "%u keys, expected 1 to %u",
				     count, TRUST_KEYS_MAX);
	for (unsigned i = 0; i < count; i++) {
		const char *text = cfg_getnstr(r->cfg, config_options[OPTION_TRUSTED_KEYS].name, i);
		uint8_t *key = trust->keys[i];

		if (document_key_parse(text, key) != 0 ||
		    crypto_core_ed25519_is_valid_point(key) != 1)
			return config_refuse(
			    r, OPTION_TRUSTED_KEYS, failure,
			    "'%.80s', expected the base64 of an Ed25519 public key (as "
			    "mcadmin keygen prints it)",
			    text);
		/* A key given twice would make a threshold of two out of one person. */
		for (unsigned j = 0; j < i; j++)
			if (memcmp(trust->keys[j], key, DOCUMENT_KEY_BYTES) == 0)
				return config_refuse(r, OPTION_TRUSTED_KEYS, failure,
						     "'%.80s' twice, expected each key once", text);
	}
	trust->count = count;
	if (config_number(r, OPTION_THRESHOLD, 1, count, &threshold, failure) != 0)
		return -EINVAL;
	trust->threshold = (uint32_t)threshold;
	return 0;
}

static int take_secret(const struct config_reading *r, enum config_option_id option,
		       uint8_t **secret, struct failure *failure)
{
	const char *text = config_text(r, option);
	struct failure why;
	int error;

	if (text == NULL)
		return 0;
	if (text[0] != '/' || strlen(text) > CONFIG_PATH_MAX)
		return config_refuse(
		    r, option, failure,
		    "'%.200s', expected the absolute path of a key file, of at most %u bytes", text,
		    CONFIG_PATH_MAX);
	error = secretfile_key_load(text, secret, &why);
	if (error != 0)
		return failure_set(failure, -error, "%s:%d: %s: %s", r->path, r->line[option],
				   config_options[option].name, why.text);
	return 0;
}

static int take_host_key(const struct config_reading *r, enum config_option_id option,
			 uint8_t **secret, uint8_t public_key[LIST_HOST_KEY_BYTES],
			 struct failure *failure)
{
	int error = take_secret(r, option, secret, failure);

	if (error == 0 && *secret != NULL && crypto_scalarmult_base(public_key, *secret) != 0)
		error = config_refuse(r, option, failure,
				      "a key without a public half, expected a secret X25519 key");
	return error;
}

static int check_required(const struct config_reading *r, struct failure *failure)
{
	char missing[160] = "";
	size_t used = 0;

	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (config_options[i].required && r->line[i] == 0)
			used += (size_t)snprintf(missing + used, sizeof(missing) - used, "%s%s",
						 used > 0 ? ", " : "", config_options[i].name);
	if (used == 0)
		return 0;
	return failure_set(failure, EINVAL, "%s: %s: found nothing, expected a value for each",
			   r->path, missing);
}

static int take_owed(const struct config_reading *r, struct config *c, struct failure *failure)
{
	uint64_t keys = OWED_KEYS_MAX, per_user;
	int error = config_number(r, OPTION_OWED_MAX, 1, OWED_KEYS_MAX, &keys, failure);

	if (error != 0)
		return error;
	per_user = (keys + OWED_SHARES - 1) / OWED_SHARES;
	error = config_number(r, OPTION_OWED_PER_USER, 1, keys, &per_user, failure);
	c->owed_max = (uint32_t)keys;
	c->owed_per_user = (uint32_t)per_user;
	return error;
}

/* Turns what was read into the configuration. */
static int take_all(const struct config_reading *r, struct config *c, struct failure *failure)
{
	char state[CONFIG_PATH_MAX + 1], control[CONFIG_PATH_MAX + 1], clients[CONFIG_PATH_MAX + 1],
	    segment[CONFIG_PATH_MAX + 1];
	uint64_t boot_wait_ms = CONFIG_BOOT_WAIT_MS, per_user = CONFIG_CLIENTS_PER_USER,
		 adaptive = 1;
	const size_t socket_max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	int error;

	if ((error = check_required(r, failure)) != 0 ||
	    (error = take_name(r, OPTION_CLUSTER, c->cluster, failure)) != 0)
		return error;
	(void)snprintf(state, sizeof(state), "/var/lib/mcroster/%s", c->cluster);
	(void)snprintf(control, sizeof(control), "/run/mcroster/%s.control", c->cluster);
	(void)snprintf(clients, sizeof(clients), "/run/mcroster/%s.clients", c->cluster);
	(void)snprintf(segment, sizeof(segment), "/mcroster.%s", c->cluster);

	if ((error = take_name(r, OPTION_NAME, c->name, failure)) != 0 ||
	    (error = take_listen(r, c->listen, failure)) != 0 ||
	    (error = config_path(r, OPTION_STATE_DIRECTORY, CONFIG_PATH_MAX, state,
				 c->state_directory, failure)) != 0 ||
	    (error = config_path(r, OPTION_CONTROL_SOCKET, socket_max, control, c->control_socket,
				 failure)) != 0 ||
	    (error = config_path(r, OPTION_CLIENTS_SOCKET, socket_max, clients, c->clients_socket,
				 failure)) != 0 ||
	    (error = take_mode(r, OPTION_CLIENTS_MODE, &c->clients_mode, failure)) != 0 ||
	    (error = config_number(r, OPTION_CLIENTS_PER_USER, 1, CLIENTS_MAX, &per_user,
				   failure)) != 0 ||
	    (error = take_owed(r, c, failure)) != 0 ||
	    (error = config_take_discovery(r, c, failure)) != 0 ||
	    (error = take_segment(r, segment, c->segment, failure)) != 0 ||
	    (error = take_trust(r, &c->trust, failure)) != 0 ||
	    (error = config_number(r, OPTION_RATE_KEYS, 0, CONFIG_RATE_MAX, &c->rate_keys,
				   failure)) != 0 ||
	    (error = config_number(r, OPTION_RATE_BYTES, 0, CONFIG_RATE_MAX, &c->rate_bytes,
				   failure)) != 0 ||
	    (error = config_number(r, OPTION_ADAPTIVE, 0, 1, &adaptive, failure)) != 0 ||
	    (error = config_number(r, OPTION_BOOT_WAIT, 0, CONFIG_BOOT_WAIT_MAX, &boot_wait_ms,
				   failure)) != 0 ||
	    (error = config_take_metrics(r, c, failure)) != 0 ||
	    (error = take_host_key(r, OPTION_HOST_KEY, &c->host_secret, c->host_public, failure)) !=
		0 ||
	    (error = take_host_key(r, OPTION_PREVIOUS_HOST_KEY, &c->previous_host_secret,
				   c->previous_host_public, failure)) != 0 ||
	    (error = take_secret(r, OPTION_PSK, &c->psk, failure)) != 0 ||
	    (error = take_secret(r, OPTION_PREVIOUS_PSK, &c->previous_psk, failure)) != 0 ||
	    (error = config_take_on_change(r, c, failure)) != 0 ||
	    (error = config_take_register(r, c, failure)) != 0 ||
	    (error = config_take_servers(r, c, failure)) != 0)
		return error;
	c->boot_wait_ms = (uint32_t)boot_wait_ms;
	c->clients_per_user = (uint32_t)per_user;
	c->adaptive = adaptive != 0;
	return 0;
}

static int text_parse(struct config_reading *r, const char *text, struct failure *failure)
{
	int result;

	/* Not cfg_parse: it would expand a `~` and read whatever it is pointed at. */
	cfg_set_error_function(r->cfg, on_error);
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		char name[40];

		(void)snprintf(name, sizeof(name), "%s%s",
			       config_options[i].in_server ? "server|" : "",
			       config_options[i].name);
		cfg_set_validate_func(r->cfg, name, on_value);
	}
	reading_now = r;
	result = cfg_parse_buf(r->cfg, text);
	reading_now = NULL;
	if (result == CFG_SUCCESS && r->problem[0] == '\0')
		return 0;
	if (r->problem[0] == '\0')
		(void)snprintf(r->problem, sizeof(r->problem), "%s:%d: cannot be read", r->path,
			       r->cfg->line);
	return failure_set(failure, EINVAL, "%s", r->problem);
}

int config_load(const char *path, struct config **config, struct failure *failure)
{
	cfg_opt_t server[] = {
	    CFG_STR("user", NULL, CFGF_NODEFAULT),
	    CFG_STR("password-file", NULL, CFGF_NODEFAULT),
	    CFG_STR("tls", NULL, CFGF_NODEFAULT),
	    CFG_STR("tls-ca", NULL, CFGF_NODEFAULT),
	    CFG_STR("tls-cert", NULL, CFGF_NODEFAULT),
	    CFG_STR("tls-key", NULL, CFGF_NODEFAULT),
	    CFG_STR("tls-name", NULL, CFGF_NODEFAULT),
	    CFG_END(),
	};
	cfg_opt_t opts[] = {
	    CFG_STR("cluster", NULL, CFGF_NODEFAULT),
	    CFG_STR("name", NULL, CFGF_NODEFAULT),
	    CFG_STR("listen", NULL, CFGF_NODEFAULT),
	    CFG_STR("state-directory", NULL, CFGF_NODEFAULT),
	    CFG_STR("control-socket", NULL, CFGF_NODEFAULT),
	    CFG_STR("clients-socket", NULL, CFGF_NODEFAULT),
	    CFG_STR("clients-mode", NULL, CFGF_NODEFAULT),
	    CFG_STR("clients-per-user", NULL, CFGF_NODEFAULT),
	    CFG_STR("owed-max", NULL, CFGF_NODEFAULT),
	    CFG_STR("owed-per-user", NULL, CFGF_NODEFAULT),
	    CFG_STR("discovery", NULL, CFGF_NODEFAULT),
	    CFG_STR("segment", NULL, CFGF_NODEFAULT),
	    CFG_STR("host-key", NULL, CFGF_NODEFAULT),
	    CFG_STR("previous-host-key", NULL, CFGF_NODEFAULT),
	    CFG_STR("psk", NULL, CFGF_NODEFAULT),
	    CFG_STR("previous-psk", NULL, CFGF_NODEFAULT),
	    CFG_STR_LIST("trusted-keys", NULL, CFGF_NODEFAULT),
	    CFG_STR("threshold", NULL, CFGF_NODEFAULT),
	    CFG_STR("rate-keys", NULL, CFGF_NODEFAULT),
	    CFG_STR("rate-bytes", NULL, CFGF_NODEFAULT),
	    CFG_STR("rate-adaptive", NULL, CFGF_NODEFAULT),
	    CFG_STR("boot-wait", NULL, CFGF_NODEFAULT),
	    CFG_STR("metrics", NULL, CFGF_NODEFAULT),
	    CFG_STR_LIST("on-change", NULL, CFGF_NODEFAULT),
	    CFG_STR("on-change-timeout", NULL, CFGF_NODEFAULT),
	    CFG_STR("register", NULL, CFGF_NODEFAULT),
	    CFG_STR_LIST("etcd-endpoints", NULL, CFGF_NODEFAULT),
	    CFG_STR("etcd-ca", NULL, CFGF_NODEFAULT),
	    CFG_STR("etcd-cert", NULL, CFGF_NODEFAULT),
	    CFG_STR("etcd-key", NULL, CFGF_NODEFAULT),
	    CFG_STR("etcd-user", NULL, CFGF_NODEFAULT),
	    CFG_STR("etcd-password-file", NULL, CFGF_NODEFAULT),
	    CFG_STR("etcd-lease", NULL, CFGF_NODEFAULT),
	    CFG_SEC("server", server, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	    CFG_END(),
	};
	struct config_reading r = {.path = path};
	struct config *c = NULL;
	char *text = NULL;
	int error;

	if (sodium_init() < 0)
		return failure_set(failure, EIO, "libsodium cannot be initialised");
	error = conftext_read(path, &text, failure);
	if (error != 0)
		return error;
	c = calloc(1, sizeof(*c));
	r.cfg = cfg_init(opts, CFGF_NONE);
	if (c == NULL || r.cfg == NULL) {
		error = failure_set(failure, ENOMEM, "%s: no memory", path);
		goto out;
	}
	error = text_parse(&r, text, failure);
	if (error == 0)
		error = take_all(&r, c, failure);
	if (error == 0) {
		*config = c;
		c = NULL;
	}
out:
	if (r.cfg != NULL)
		cfg_free(r.cfg);
	free(text);
	config_free(c);
	return error;
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	sodium_free(config->host_secret); /* wipes; NULL is fine */
	sodium_free(config->previous_host_secret);
	sodium_free(config->psk);
	sodium_free(config->previous_psk);
	sodium_free(config->etcd.password);
	mc_access_list_free(&config->access);
	config_on_change_free(config);
	free(config);
}
