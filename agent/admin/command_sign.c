/* command_sign.c - mcadmin sign: operators' signatures under a document that agents would take. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/any_document.h"
#include "admin/file.h"
#include "admin/json.h"
#include "admin/human.h"
#include "admin/signers.h"
#include "admin/signing_keys.h"

static const char usage[] =
    "Usage: mcadmin sign -k KEYFILE... DOCUMENT [-t THRESHOLD] [-o OUT]\n"
    "\n"
    "Adds signatures to a list, an order or a keys document, after checking that it\n"
    "is one that agents take, and says who has signed it by now.  Several operators\n"
    "sign one file one after the other; nobody signs it twice.\n"
    "\n" SIGNING_KEYS_USAGE
    "  -t, --threshold N         so many signatures the agents want (threshold in\n"
    "                            their agent.conf, or in the keys document in force)\n"
    "  -o, --output OUT          where it goes; by default DOCUMENT is replaced\n"
    "      --json                as one JSON object\n"
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    SIGNING_KEYS_OPTIONS,
    {"threshold", required_argument, NULL, 't'},
    {"output", required_argument, NULL, 'o'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct sign {
	const char *path, *output;
	bool json;
	uint64_t threshold; /* 0: not said */
	struct signing_keys keys;
};

static int signed_json(const struct sign *sign, const struct any_document *any,
		       const void *document, size_t bytes, struct failure *failure)
{
	char title[ANY_TITLE_BYTES];
	struct signers signers;
	struct json json;
	int error = signers_read(document, bytes, NULL, &signers, failure);

	if (error < 0)
		return error;
	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_string(&json, "cluster", any->cluster);
	json_string(&json, "document", any_document_kind(any));
	json_string(&json, "title", any_document_title(any, title));
	json_string(&json, "file", sign->output);
	json_array_open(&json, "signatures");
	for (uint32_t i = 0; i < signers.count; i++)
		json_string(&json, NULL, signers.by[i].id);
	json_array_close(&json);
	if (sign->threshold != 0)
		json_unsigned(&json, "more_wanted",
			      sign->threshold > signers.count ? sign->threshold - signers.count
							      : 0);
	json_object_close(&json);
	json_end(&json);
	return 0;
}

/* Its last lines: who has signed, and how many are still to. */
static int signed_print(const struct sign *sign, const void *document, size_t bytes,
			struct failure *failure)
{
	struct signers signers;
	int error = signers_read(document, bytes, NULL, &signers, failure);

	if (error < 0)
		return error;
	(void)printf("%u signature%s:", signers.count, signers.count == 1 ? "" : "s");
	for (uint32_t i = 0; i < signers.count; i++)
		(void)printf("%s %s", i == 0 ? "" : ",", signers.by[i].id);
	(void)putchar('\n');
	if (sign->threshold > signers.count)
		(void)printf("%" PRIu64 " more wanted: mcadmin sign -k KEY %s\n",
			     sign->threshold - signers.count, sign->output);
	else if (sign->threshold != 0)
		(void)printf("No more wanted: mcadmin push %s\n", sign->output);
	return 0;
}

static int sign_run(struct sign *sign, struct failure *failure)
{
	struct any_document any = {0};
	void *signed_document = NULL;
	size_t signed_bytes;
	char ids[SIGNING_KEYS_IDS_BYTES], title[ANY_TITLE_BYTES];
	struct failure why;
	int error = any_document_file(sign->path, NULL, &any, failure);

	if (error == 0)
		error = signing_keys_load(&sign->keys, failure);
	if (error == 0) {
		error = signing_keys_sign(&sign->keys, any.bytes, any.length, &signed_document,
					  &signed_bytes, &why);
		if (error < 0)
			(void)failure_set(failure, -error, "%s: %s", sign->path, why.text);
	}
	if (error == 0)
		error =
		    file_write(sign->output, 0644, true, signed_document, signed_bytes, failure);
	if (error == 0 && sign->json) {
		error = signed_json(sign, &any, signed_document, signed_bytes, failure);
	} else if (error == 0) {
		(void)printf("Cluster %s, %s: signed by %s, in %s\n", any.cluster,
			     any_document_title(&any, title), signing_keys_ids(&sign->keys, ids),
			     sign->output);
		error = signed_print(sign, signed_document, signed_bytes, failure);
	}
	free(signed_document);
	any_document_clear(&any);
	return error;
}

static int run(int argc, char **argv)
{
	struct sign sign = {0};
	struct failure failure;
	int option, error, taken;

	while ((option = getopt_long(argc, argv, "k:t:o:h", option_table, NULL)) != -1) {
		taken = signing_keys_option(&sign.keys, option, optarg, &failure);
		if (taken < 0)
			return admin_usage(argv[0], "%s", failure.text);
		if (taken > 0)
			continue;
		switch (option) {
		case 't':
			if (!human_number(optarg, 1, DOCUMENT_SIGNATURES_MAX, &sign.threshold))
				return admin_usage(argv[0],
						   "-t %s: a number from 1 to %u is wanted", optarg,
						   DOCUMENT_SIGNATURES_MAX);
			break;
		case 'o':
			sign.output = optarg;
			break;
		case 'j':
			sign.json = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (argc - optind != 1)
		return admin_usage(argv[0], "one DOCUMENT is wanted, %d given", argc - optind);
	if (sign.keys.count == 0)
		return admin_usage(argv[0], "-k KEYFILE is missing");
	sign.path = argv[optind];
	if (sign.output == NULL)
		sign.output = sign.path;
	error = sign_run(&sign, &failure);
	signing_keys_clear(&sign.keys);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_sign = {
    .name = "sign",
    .run = run,
    .group = GROUP_DOCUMENT,
    .summary = "Sign a list, an order or a keys document",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
