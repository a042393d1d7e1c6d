/* command_passphrase.c - mcadmin passphrase: an operator's key under another one, or under none. */
#include <getopt.h>
#include <stdio.h>

#include <sodium.h>

#include "admin/admin.h"
#include "admin/json.h"
#include "admin/keyfile.h"
#include "admin/passphrase.h"

#define OLD_FILE 0x300

static const char usage[] =
    "Usage: mcadmin passphrase KEYFILE [--old-passphrase-file F]\n"
    "                          [--passphrase-file F | --no-passphrase] [--json]\n"
    "\n"
    "Encrypts an operator's secret key with another passphrase, or for the first\n"
    "time.  The key itself stays what it is; copies of the file keep the passphrase\n"
    "that they have.\n"
    "\n"
    "      --old-passphrase-file F\n"
    "                            holds the present one; without one it is asked for\n"
    "                            at the terminal, where there is one\n" PASSPHRASE_USAGE
    "      --json                what was done, as one JSON object\n"
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    {"old-passphrase-file", required_argument, NULL, OLD_FILE},
    PASSPHRASE_OPTIONS,
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void change_print(const char *path, bool encrypted)
{
	(void)printf("%s is %s\n", path,
		     encrypted ? "encrypted with the new passphrase"
			       : "NOT encrypted: whoever gets the file has the key");
}

static void change_json(const char *path, bool encrypted)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_string(&json, "file", path);
	json_bool(&json, "encrypted", encrypted);
	json_object_close(&json);
	json_end(&json);
}

static int change(const char *path, const char *old_file, const struct passphrase_wanted *wanted,
		  bool json, struct failure *failure)
{
	char *passphrase = NULL;
	uint8_t *secret = NULL;
	int error = keyfile_operator_load(path, old_file, &secret, failure);

	if (error == 0)
		error = passphrase_new(wanted, path, &passphrase, failure);
	if (error == 0)
		error = keyfile_operator_store(path, true, passphrase, secret, failure);
	if (error == 0)
		(json ? change_json : change_print)(path, passphrase != NULL);
	sodium_free(passphrase);
	sodium_free(secret);
	return error;
}

static int run(int argc, char **argv)
{
	struct passphrase_wanted wanted = {0};
	const char *old_file = NULL;
	struct failure failure;
	bool json = false;
	int option, error;

	while ((option = getopt_long(argc, argv, "h", option_table, NULL)) != -1) {
		if (passphrase_option(&wanted, option, optarg))
			continue;
		switch (option) {
		case OLD_FILE:
			old_file = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (argc - optind != 1)
		return admin_usage(argv[0], "one KEYFILE is wanted, %d given", argc - optind);
	error = change(argv[optind], old_file, &wanted, json, &failure);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_passphrase = {
    .name = "passphrase",
    .run = run,
    .group = GROUP_SETUP,
    .summary = "Encrypt an operator's key with another passphrase",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
