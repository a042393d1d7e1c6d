/* config_register.c - see config_reading.h: the options that say where the register lives.
 *
 * A password is given to nobody who could not prove his name: https, or this very host.
 */
#include "daemon/config_reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/election.h"
#include "list/infile.h"
#include "list/secretfile.h"

#define HOST_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

static const char *skip(const char *text, const char *prefix)
{
	const size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static bool port_valid(const char *text)
{
	const size_t length = strlen(text);
	unsigned long port;

	if (length == 0 || length > 5 || strspn(text, "0123456789") != length)
		return false;
	port = strtoul(text, NULL, 10);
	return port >= 1 && port <= 65535;
}

/* scheme://host:port: no user, no path, no query. */
static bool endpoint_valid(const char *text)
{
	const char *host = skip(text, "https://"), *end;

	if (host == NULL)
		host = skip(text, "http://");
	if (host == NULL || strlen(text) > CONFIG_PATH_MAX)
		return false;
	if (host[0] == '[') {
		end = host + 1 + strspn(host + 1, "0123456789abcdefABCDEF:.");
		if (end == host + 1 || *end++ != ']')
			return false;
	} else {
		end = host + strspn(host, HOST_CHARS);
		if (end == host)
			return false;
	}
	return *end == ':' && port_valid(end + 1);
}

static bool endpoint_secret(const char *endpoint)
{
	const char *here = skip(endpoint, "http://127.");

	return skip(endpoint, "https://") != NULL || skip(endpoint, "http://[::1]:") != NULL ||
	       (here != NULL && here[strspn(here, "0123456789.")] == ':');
}

static int take_endpoints(const struct config_reading *r, struct config_etcd *etcd,
			  struct failure *failure)
{
	const char *const name = config_options[OPTION_ETCD_ENDPOINTS].name;
	const unsigned count = r->line[OPTION_ETCD_ENDPOINTS] != 0 ? cfg_size(r->cfg, name) : 0;

	if (r->line[OPTION_ETCD_ENDPOINTS] == 0)
		return config_refuse(r, OPTION_REGISTER, failure,
				     "'etcd' without etcd-endpoints, expected both");
	if (count == 0 || count > CONFIG_ETCD_ENDPOINTS_MAX)
		return config_refuse(r, OPTION_ETCD_ENDPOINTS, failure,
				     "%u endpoints, expected 1 to %u", count,
				     CONFIG_ETCD_ENDPOINTS_MAX);
	for (unsigned i = 0; i < count; i++) {
		const char *text = cfg_getnstr(r->cfg, name, i);
		char *out = etcd->endpoints[i];

		if (!endpoint_valid(text))
			return config_refuse(r, OPTION_ETCD_ENDPOINTS, failure,
					     "'%.120s', expected http or https, host and port and "
					     "nothing else, such as https://etcd1.example.org:2379",
					     text);
		memcpy(out, text, strlen(text) + 1);
		for (unsigned j = 0; j < i; j++)
			if (strcmp(etcd->endpoints[j], out) == 0)
				return config_refuse(r, OPTION_ETCD_ENDPOINTS, failure,
						     "'%.120s' twice, expected each endpoint once",
						     text);
		if ((skip(out, "https://") != NULL) !=
		    (skip(etcd->endpoints[0], "https://") != NULL))
			return config_refuse(r, OPTION_ETCD_ENDPOINTS, failure,
					     "both http and https, expected all of one kind");
	}
	etcd->endpoint_count = count;
	return 0;
}

int config_file_readable(const char *path, struct failure *failure)
{
	size_t length;
	char byte;
	int fd, error = infile_open(path, &fd, failure);

	if (error != 0)
		return error;
	error = infile_read(fd, path, &byte, sizeof(byte), &length, failure);
	if (error == 0 && length == 0)
		error = failure_set(failure, EINVAL, "%s: found nothing in it, expected a PEM file",
				    path);
	close(fd);
	return error;
}

static int take_file(const struct config_reading *r, enum config_option_id option,
		     int (*check)(const char *path, struct failure *failure),
		     char out[CONFIG_PATH_MAX + 1], struct failure *failure)
{
	int error = config_path(r, option, CONFIG_PATH_MAX, "", out, failure);
	struct failure why;

	if (error != 0 || out[0] == '\0')
		return error;
	error = check(out, &why);
	if (error != 0)
		(void)failure_set(failure, -error, "%s:%d: %s: %s", r->path, r->line[option],
				  config_options[option].name, why.text);
	return error;
}

/* Two options that mean nothing without each other. */
static int both_or_none(const struct config_reading *r, enum config_option_id one,
			enum config_option_id other, struct failure *failure)
{
	const enum config_option_id there = r->line[one] != 0 ? one : other;

	if ((r->line[one] != 0) == (r->line[other] != 0))
		return 0;
	return config_refuse(r, there, failure, "it without %s, expected both or neither",
			     config_options[there == one ? other : one].name);
}

static int take_tls(const struct config_reading *r, struct config_etcd *etcd,
		    struct failure *failure)
{
	static const enum config_option_id files[] = {OPTION_ETCD_CA, OPTION_ETCD_CERT,
						      OPTION_ETCD_KEY};
	int error = both_or_none(r, OPTION_ETCD_CERT, OPTION_ETCD_KEY, failure);

	for (unsigned i = 0; error == 0 && i < 3; i++)
		if (r->line[files[i]] != 0 && skip(etcd->endpoints[0], "https://") == NULL)
			error = config_refuse(r, files[i], failure,
					      "it with http endpoints, expected https ones");
	if (error != 0 ||
	    (error = take_file(r, OPTION_ETCD_CA, config_file_readable, etcd->ca, failure)) != 0 ||
	    (error = take_file(r, OPTION_ETCD_CERT, config_file_readable, etcd->cert, failure)) !=
		0)
		return error;
	return take_file(r, OPTION_ETCD_KEY, secretfile_check, etcd->key, failure);
}

static int take_user(const struct config_reading *r, struct config_etcd *etcd,
		     struct failure *failure)
{
	const char *user = config_text(r, OPTION_ETCD_USER);
	char path[CONFIG_PATH_MAX + 1];
	size_t length, printable = 0;
	struct failure why;
	int error = both_or_none(r, OPTION_ETCD_USER, OPTION_ETCD_PASSWORD_FILE, failure);

	if (error != 0 || user == NULL)
		return error;
	length = strlen(user);
	while (printable < length && user[printable] > 0x20 && user[printable] < 0x7f)
		printable++;
	if (length == 0 || length > CONFIG_ETCD_USER_MAX || printable < length)
		return config_refuse(r, OPTION_ETCD_USER, failure,
				     "'%.140s', expected 1 to %u printable ASCII characters", user,
				     CONFIG_ETCD_USER_MAX);
	memcpy(etcd->user, user, length + 1);
	for (uint32_t i = 0; i < etcd->endpoint_count; i++)
		if (!endpoint_secret(etcd->endpoints[i]))
			return config_refuse(
			    r, OPTION_ETCD_USER, failure,
			    "a password for %.120s, expected https: anybody on the "
			    "way could read it",
			    etcd->endpoints[i]);
	if ((error = config_path(r, OPTION_ETCD_PASSWORD_FILE, CONFIG_PATH_MAX, "", path,
				 failure)) != 0)
		return error;
	error = secretfile_password_load(path, CONFIG_ETCD_PASSWORD_MAX, &etcd->password, &why);
	if (error != 0)
		(void)failure_set(failure, -error, "%s:%d: %s: %s", r->path,
				  r->line[OPTION_ETCD_PASSWORD_FILE],
				  config_options[OPTION_ETCD_PASSWORD_FILE].name, why.text);
	return error;
}

static int take_etcd(const struct config_reading *r, struct config_etcd *etcd,
		     struct failure *failure)
{
	uint64_t lease_s = CONFIG_ETCD_LEASE_S;
	int error;

	if ((error = take_endpoints(r, etcd, failure)) != 0 ||
	    (error = take_tls(r, etcd, failure)) != 0 ||
	    (error = take_user(r, etcd, failure)) != 0 ||
	    (error = config_number(r, OPTION_ETCD_LEASE, ELECTION_TTL_MIN_S, ELECTION_TTL_MAX_S,
				   &lease_s, failure)) != 0)
		return error;
	etcd->lease_s = (uint32_t)lease_s;
	return 0;
}

int config_take_register(const struct config_reading *r, struct config *config,
			 struct failure *failure)
{
	const char *text = config_text(r, OPTION_REGISTER);

	if (text != NULL && strcmp(text, "etcd") == 0) {
		config->register_in = CONFIG_REGISTER_ETCD;
		return take_etcd(r, &config->etcd, failure);
	}
	if (text != NULL && strcmp(text, "file") != 0)
		return config_refuse(r, OPTION_REGISTER, failure,
				     "'%.80s', expected 'file' or 'etcd'", text);
	for (int i = OPTION_ETCD_ENDPOINTS; i <= OPTION_ETCD_LEASE; i++)
		if (r->line[i] != 0)
			return config_refuse(r, (enum config_option_id)i, failure,
					     "it without register = \"etcd\", expected both or "
					     "neither");
	config->register_in = CONFIG_REGISTER_FILE;
	return 0;
}
