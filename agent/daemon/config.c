/* config.c - see config.h: judges what agent.conf says and makes a struct config of it, or one
 * sentence.  The files that hold secrets are secretfile.h's.
 */
#include "daemon/config_reading.h"
#include "daemon/mover_pace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <sodium.h>

#include "core/clients.h"
#include "core/owed.h"
#include "list/secretfile.h"

#define CONFIG_BOOT_WAIT_MS	30000u
#define CONFIG_BOOT_WAIT_MAX	3600000u
#define CONFIG_RATE_MAX		MOVER_PACE_RATE_MAX
#define CONFIG_CLIENTS_MODE	0666u
#define CONFIG_CLIENTS_PER_USER 2048u
#define OWED_SHARES		4u /* by default one user may have one of them */

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

int config_load(const char *path, struct config **config, struct failure *failure)
{
	struct config_reading r;
	struct config *c;
	int error;

	if (sodium_init() < 0)
		return failure_set(failure, EIO, "libsodium cannot be initialised");
	error = config_reading_open(&r, path, failure);
	if (error != 0)
		return error;
	c = calloc(1, sizeof(*c));
	error = c != NULL ? take_all(&r, c, failure)
			  : failure_set(failure, ENOMEM, "%s: no memory", path);
	config_reading_close(&r);
	if (error == 0)
		*config = c;
	else
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
