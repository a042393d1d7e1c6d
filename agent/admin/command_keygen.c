/* command_keygen.c - mcadmin keygen and hostkey: new keys, never over old ones unasked. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "admin/admin.h"
#include "admin/json.h"
#include "admin/keyfile.h"
#include "admin/passphrase.h"
#include "list/document.h"

static const char keygen_usage[] =
    "Usage: mcadmin keygen -o FILE [--passphrase-file F | --no-passphrase] [--force]\n"
    "                      [--json]\n"
    "       mcadmin keygen --psk -o FILE [--force] [--json]\n"
    "\n"
    "Makes the operator's Ed25519 key.  FILE gets the secret (mode 0600), encrypted\n"
    "with a passphrase, FILE.pub the public key, one line that goes into\n"
    "trusted-keys of every agent.conf.\n"
    "\n"
    "  -o, --output FILE         where the key goes\n" PASSPHRASE_USAGE
    "      --psk                 make the cluster's pre-shared key instead: 32 random\n"
    "                            bytes in FILE (0600), the same file on every host\n"
    "      --force               overwrite existing files\n"
    "      --json                as one JSON object\n"
    "  -h, --help                this text\n";

static const char hostkey_usage[] =
    "Usage: mcadmin hostkey -o FILE [--force] [--json]\n"
    "\n"
    "Makes an agent's X25519 key.  FILE gets the secret (mode 0600) for host-key in\n"
    "agent.conf, FILE.pub the public key for the agent's section in cluster.conf.\n"
    "\n"
    "  -o, --output FILE  where the key goes\n"
    "      --force        overwrite existing files\n"
    "      --json         as one JSON object\n"
    "  -h, --help         this text\n";

static const struct option keygen_options[] = {
    {"output", required_argument, NULL, 'o'},
    PASSPHRASE_OPTIONS,
    {"psk", no_argument, NULL, 'p'},
    {"force", no_argument, NULL, 'f'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const struct option hostkey_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"force", no_argument, NULL, 'f'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct key_options {
	const char *output;
	bool force, psk, json;
	struct passphrase_wanted passphrase;
	/* The public half goes to public_new first: what takes room is written before any file is
	 * replaced, so that a full disk leaves the old pair or none. */
	char public_path[PATH_MAX], public_new[PATH_MAX];
};

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, const struct command *command,
			struct key_options *options)
{
	int option;

	while ((option = getopt_long(argc, argv, "o:h", command->options, NULL)) != -1) {
		if (passphrase_option(&options->passphrase, option, optarg))
			continue;
		switch (option) {
		case 'o':
			options->output = optarg;
			break;
		case 'f':
			options->force = true;
			break;
		case 'j':
			options->json = true;
			break;
		case 'p':
			options->psk = true;
			break;
		case 'h':
			return admin_help(command->usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (optind < argc)
		return admin_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	if (options->psk && (options->passphrase.none || options->passphrase.file != NULL))
		return admin_usage(argv[0], "--psk: agents read it, so it has no passphrase");
	if (options->output == NULL || options->output[0] == '\0')
		return admin_usage(argv[0], "-o FILE is missing");
	if (strlen(options->output) + sizeof(".pub.new") > sizeof(options->public_path))
		return admin_usage(argv[0], "the path given with -o is too long");
	(void)snprintf(options->public_path, sizeof(options->public_path), "%s.pub",
		       options->output);
	(void)snprintf(options->public_new, sizeof(options->public_new), "%s.pub.new",
		       options->output);
	return -1;
}

/* The secret is in place first; without this a .pub left from elsewhere would be replaced, or stop
 * us half way. */
static int public_free(const struct key_options *options, struct failure *failure)
{
	struct stat st;

	if (stat(options->public_path, &st) == 0 && !S_ISREG(st.st_mode))
		return failure_set(failure, EEXIST,
				   "%s: is there and not a regular file, so it is not replaced",
				   options->public_path);
	if (!options->force && access(options->public_path, F_OK) == 0)
		return failure_set(failure, EEXIST,
				   "%s: is there already and is not overwritten (--force does)",
				   options->public_path);
	return 0;
}

static int public_prepare(const struct key_options *options, const uint8_t *key,
			  struct failure *failure)
{
	struct failure why;
	int error = keyfile_public_store(options->public_new, true, key, &why);

	return error < 0 ? failure_set(failure, -error, "%s; no key is made", why.text) : 0;
}

/* The public half, as the second of the two: `error` is how the secret went. */
static int public_place(const struct key_options *options, int error, struct failure *failure)
{
	if (error == 0 && rename(options->public_new, options->public_path) < 0)
		error = failure_set(failure, errno, "%s: %s; the new one is in %s",
				    options->public_path, strerror(errno), options->public_new);
	else if (error < 0)
		(void)unlink(options->public_new);
	return error;
}

/* What was made; NULL where there is none of it. */
static void made_print(const struct key_options *options, const char *id, const char *public_key)
{
	struct json json;

	if (options->json) {
		json_begin(&json, stdout);
		json_object_open(&json, NULL);
		json_string(&json, "key_id", id);
		json_string(&json, "public_key", public_key);
		json_string(&json, "secret_file", options->output);
		json_string(&json, "public_file", public_key != NULL ? options->public_path : NULL);
		json_object_close(&json);
		json_end(&json);
		return;
	}
	if (id != NULL)
		(void)printf("key id      %s\n", id);
	if (public_key == NULL)
		(void)printf("pre-shared key in  %s\n", options->output);
	else
		(void)printf("public key  %s\nsecret in   %s\npublic in   %s\n", public_key,
			     options->output, options->public_path);
}

static int operator_make(const struct key_options *options, struct failure *failure)
{
	uint8_t public_key[DOCUMENT_KEY_BYTES];
	char id[DOCUMENT_KEY_ID_CHARS + 1], text[DOCUMENT_KEY_CHARS + 1];
	uint8_t *secret = sodium_malloc(DOCUMENT_SECRET_BYTES);
	char *passphrase = NULL;
	int error = 0;

	if (secret == NULL)
		return failure_set(failure, ENOMEM, "no locked memory for the secret");
	if (!options->force && access(options->output, F_OK) == 0) /* before anybody types */
		error = failure_set(failure, EEXIST,
				    "%s: is there already and is not overwritten (--force does)",
				    options->output);
	if (error == 0)
		error = passphrase_new(&options->passphrase, options->output, &passphrase, failure);
	(void)crypto_sign_keypair(public_key, secret);
	if (error == 0)
		error = public_prepare(options, public_key, failure);
	if (error == 0)
		error = public_place(options,
				     keyfile_operator_store(options->output, options->force,
							    passphrase, secret, failure),
				     failure);
	sodium_free(passphrase);
	sodium_free(secret);
	if (error < 0)
		return error;
	document_key_id(public_key, id);
	document_key_print(public_key, text);
	made_print(options, id, text);
	return 0;
}

static int psk_make(const struct key_options *options, struct failure *failure)
{
	uint8_t *key = sodium_malloc(KEYFILE_KEY_BYTES);
	int error;

	if (key == NULL)
		return failure_set(failure, ENOMEM, "no locked memory for the secret");
	randombytes_buf(key, KEYFILE_KEY_BYTES);
	error = keyfile_secret_store(options->output, options->force, key, failure);
	sodium_free(key);
	if (error == 0)
		made_print(options, NULL, NULL);
	return error;
}

static int host_make(const struct key_options *options, struct failure *failure)
{
	uint8_t public_key[KEYFILE_KEY_BYTES];
	char text[DOCUMENT_KEY_CHARS + 1];
	uint8_t *secret = sodium_malloc(KEYFILE_KEY_BYTES);
	int error;

	if (secret == NULL)
		return failure_set(failure, ENOMEM, "no locked memory for the secret");
	(void)crypto_box_keypair(public_key, secret);
	error = public_prepare(options, public_key, failure);
	if (error == 0)
		error = public_place(
		    options, keyfile_secret_store(options->output, options->force, secret, failure),
		    failure);
	sodium_free(secret);
	if (error < 0)
		return error;
	document_key_print(public_key, text);
	made_print(options, NULL, text);
	return 0;
}

static int keygen_run(int argc, char **argv)
{
	struct key_options options = {0};
	struct failure failure;
	int error, code = options_read(argc, argv, &command_keygen, &options);

	if (code >= 0)
		return code;
	if (options.psk)
		error = psk_make(&options, &failure);
	else if ((error = public_free(&options, &failure)) == 0)
		error = operator_make(&options, &failure);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

static int hostkey_run(int argc, char **argv)
{
	struct key_options options = {0};
	struct failure failure;
	int error, code = options_read(argc, argv, &command_hostkey, &options);

	if (code >= 0)
		return code;
	error = public_free(&options, &failure);
	if (error == 0)
		error = host_make(&options, &failure);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_keygen = {
    .name = "keygen",
    .run = keygen_run,
    .group = GROUP_SETUP,
    .summary = "Make the operator's signing key, or the cluster's pre-shared key",
    .usage = keygen_usage,
    .options = keygen_options,
};

const struct command command_hostkey = {
    .name = "hostkey",
    .run = hostkey_run,
    .group = GROUP_SETUP,
    .summary = "Make an agent's host key",
    .usage = hostkey_usage,
    .options = hostkey_options,
};
