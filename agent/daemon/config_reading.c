/* config_reading.c - see config_reading.h.
 *
 * libconfuse splits the file into options and strings; every value is taken as a string, so that
 * each refusal can say what was found and what was expected.  Not reentrant (libconfuse's scanner
 * is not); called from the loop's thread.
 */
#include "daemon/config_reading.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list/conftext.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

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

/* All are strings: libconfuse would judge numbers by rules of its own. */
static cfg_t *options_new(void)
{
	cfg_opt_t server[OPTION_COUNT + 1], top[OPTION_COUNT + 1];
	unsigned in_server = 0, on_top = 0;

	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		const char *name = config_options[i].name;

		if (i == OPTION_SERVER)
			continue;
		if (config_options[i].in_server)
			server[in_server++] = (cfg_opt_t)CFG_STR(name, NULL, CFGF_NODEFAULT);
		else if (option_lists(i))
			top[on_top++] = (cfg_opt_t)CFG_STR_LIST(name, NULL, CFGF_NODEFAULT);
		else
			top[on_top++] = (cfg_opt_t)CFG_STR(name, NULL, CFGF_NODEFAULT);
	}
	server[in_server] = (cfg_opt_t)CFG_END();
	top[on_top++] = (cfg_opt_t)CFG_SEC(config_options[OPTION_SERVER].name, server,
					   CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	top[on_top] = (cfg_opt_t)CFG_END();
	return cfg_init(top, CFGF_NONE); /* which copies them */
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

int config_reading_open(struct config_reading *r, const char *path, struct failure *failure)
{
	char *text;
	int error = conftext_read(path, &text, failure);

	if (error != 0)
		return error;
	*r = (struct config_reading){.path = path, .cfg = options_new()};
	error = r->cfg != NULL ? text_parse(r, text, failure)
			       : failure_set(failure, ENOMEM, "%s: no memory", path);
	free(text);
	if (error != 0)
		config_reading_close(r);
	return error;
}

void config_reading_close(struct config_reading *r)
{
	if (r->cfg != NULL)
		cfg_free(r->cfg);
	r->cfg = NULL;
}

/* ---- what is asked of an option ---- */

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
