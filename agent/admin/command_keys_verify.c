/* command_keys_verify.c - mcadmin keys verify: would an agent take these keys documents, one after
 * the other? */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/command_keys.h"
#include "admin/human.h"
#include "admin/keys_report.h"
#include "admin/keys_source.h"

static const char usage[] =
    "Usage: mcadmin keys verify -p PUBLIC... [-t N] [--cluster NAME] [--json] KEYS...\n"
    "       mcadmin keys verify --parent KEYS [--json] KEYS...\n"
    "\n"
    "Checks keys documents as an agent does, in the order given: each is the next\n"
    "version of the one before, signed by the threshold of that one and by its own.\n"
    "The first follows --parent or is version 1.\n"
    "\n"
    "  -p, --public PUBLIC  a key of the agents' trusted-keys: the .pub file or its\n"
    "                       base64\n"
    "  -t, --threshold N    the agents' threshold (1)\n"
    "      --cluster NAME   they must be of this cluster\n"
    "      --parent KEYS    the document before the first, taken as good\n"
    "      --json           all of them as one JSON object\n"
    "  -h, --help           this text\n";

static const struct option option_table[] = {
    SIGNERS_OPTIONS,
    {"cluster", required_argument, NULL, 'c'},
    {"parent", required_argument, NULL, 'P'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct verify_options {
	const char *parent, *cluster;
	bool json;
	struct signers_trusted trusted;
	char *const *paths;
	int count;
};

/* Opens the document at `path` as the next after `last` (NULL: as the first). */
static int next_open(const struct verify_options *options, const char *path,
		     const struct keys *last, struct keys **next, struct failure *failure)
{
	const struct signers_trusted *trusted = last == NULL ? &options->trusted : NULL;
	struct keys *read = NULL;
	struct failure why;
	int error = keys_source_file(path, trusted, &read, failure);

	if (error < 0)
		return error;
	if (last == NULL)
		error = keys_open_first(
		    read->document, read->document_bytes, &options->trusted.trust,
		    options->cluster != NULL ? options->cluster : read->cluster, next, &why);
	else
		error = keys_open_next(read->document, read->document_bytes, last, next, &why);
	keys_free(read);
	return error < 0 ? failure_set(failure, -error, "%s: %s", path, why.text) : 0;
}

static int good_print(const char *path, const struct keys *last, const struct keys *keys,
		      struct failure *failure)
{
	char hash[2 * LIST_HASH_BYTES + 1];

	human_hex(keys->hash, sizeof(keys->hash), hash);
	(void)printf("%s: good\n"
		     "cluster       %s\n"
		     "version       %" PRIu64 "\n"
		     "hash          %s\n"
		     "threshold     %" PRIu32 " of these %" PRIu32 " keys\n",
		     path, keys->cluster, keys->version, hash, keys->threshold, keys->key_count);
	keys_report_keys(last, keys, stdout);
	return keys_report_signers(last, keys, stdout, failure);
}

static int chain_json(const struct verify_options *options, struct keys *const *chain,
		      struct failure *failure)
{
	struct json json;
	int error = 0;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_bool(&json, "good", true);
	json_array_open(&json, "documents");
	for (int i = 0; error == 0 && i < options->count; i++) {
		json_object_open(&json, NULL);
		json_string(&json, "file", options->paths[i]);
		error = keys_report_json(chain[i], &json, failure);
		json_object_close(&json);
	}
	json_array_close(&json);
	json_object_close(&json);
	json_end(&json);
	return error;
}

/* Fills chain[0] and on; text is printed as each is found good, JSON when all are. */
static int chain_verify(const struct verify_options *options, const struct keys *parent,
			struct keys **chain, struct failure *failure)
{
	const struct keys *last = parent;
	int error = 0;

	for (int i = 0; error == 0 && i < options->count; i++) {
		error = next_open(options, options->paths[i], last, &chain[i], failure);
		if (error == 0 && !options->json)
			error = good_print(options->paths[i], last, chain[i], failure);
		last = chain[i];
	}
	return error == 0 && options->json ? chain_json(options, chain, failure) : error;
}

static int verify_run(const struct verify_options *options, struct failure *failure)
{
	struct keys *parent = NULL, **chain = calloc((size_t)options->count, sizeof(struct keys *));
	int error = 0;

	if (chain == NULL)
		return failure_set(failure, ENOMEM, "no memory for the keys documents");
	if (options->parent != NULL)
		error = keys_source_file(options->parent, NULL, &parent, failure);
	if (error == 0 && parent != NULL && options->cluster != NULL &&
	    strcmp(options->cluster, parent->cluster) != 0)
		error = failure_set(failure, EINVAL, "%s: for the cluster %s, want %s",
				    options->parent, parent->cluster, options->cluster);
	if (error == 0)
		error = chain_verify(options, parent, chain, failure);
	for (int i = 0; i < options->count; i++)
		keys_free(chain[i]);
	free(chain);
	keys_free(parent);
	return error;
}

static int options_check(const char *command, struct verify_options *options)
{
	struct failure failure;

	if (options->count < 1)
		return admin_usage(command, "KEYS is missing");
	if (options->parent != NULL && options->trusted.trust.count > 0)
		return admin_usage(command, "-p and --parent: only one says whom to trust");
	if (options->parent != NULL && options->trusted.wanted != 0)
		return admin_usage(command, "-t belongs to -p: --parent has its own threshold");
	if (options->parent == NULL && options->trusted.trust.count == 0)
		return admin_usage(
		    command, "-p PUBLIC or --parent KEYS is missing: whose signature counts?");
	if (options->parent == NULL && signers_trust_finish(&options->trusted, &failure) < 0)
		return admin_usage(command, "%s", failure.text);
	return -1;
}

static int run(int argc, char **argv)
{
	struct verify_options options = {0};
	struct failure failure;
	int option, error, code;

	while ((option = getopt_long(argc, argv, SIGNERS_LETTERS "h", option_table, NULL)) != -1) {
		code = signers_option(argv[0], &options.trusted, option, optarg);
		if (code >= 0)
			return code;
		if (code == -1)
			continue;
		switch (option) {
		case 'c':
			options.cluster = optarg;
			break;
		case 'P':
			options.parent = optarg;
			break;
		case 'j':
			options.json = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	options.paths = argv + optind;
	options.count = argc - optind;
	code = options_check(argv[0], &options);
	if (code >= 0)
		return code;
	error = verify_run(&options, &failure);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_keys_verify = {
    .name = "verify",
    .run = run,
    .summary = "Check a chain of keys documents",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
