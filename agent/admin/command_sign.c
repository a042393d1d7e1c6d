/* command_sign.c - mcadmin sign: operators' signatures under a document that agents would take. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "admin/admin.h"
#include "admin/any_document.h"
#include "admin/file.h"
#include "admin/signing_keys.h"

static const char usage[] =
    "Usage: mcadmin sign -k KEYFILE... DOCUMENT [-o OUT]\n"
    "\n"
    "Adds signatures to a list, an order or a keys document, after checking that it\n"
    "is one that agents take.\n"
    "\n"
    "  -k, --key KEYFILE  an operator's secret key, from 'mcadmin keygen'; may be\n"
    "                     repeated\n"
    "  -o, --output OUT   where it goes; by default DOCUMENT is replaced\n"
    "  -h, --help         this text\n";

static const struct option option_table[] = {
    {"key", required_argument, NULL, 'k'},
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int sign_run(struct signing_keys *keys, const char *path, const char *output,
		    struct failure *failure)
{
	struct any_document any = {0};
	void *signed_document = NULL;
	size_t signed_bytes;
	char ids[SIGNING_KEYS_IDS_BYTES], title[ANY_TITLE_BYTES];
	struct failure why;
	int error = any_document_file(path, NULL, &any, failure);

	if (error == 0)
		error = signing_keys_load(keys, failure);
	if (error == 0) {
		error = signing_keys_sign(keys, any.bytes, any.length, &signed_document,
					  &signed_bytes, &why);
		if (error < 0)
			(void)failure_set(failure, -error, "%s: %s", path, why.text);
	}
	if (error == 0)
		error = file_write(output, 0644, true, signed_document, signed_bytes, failure);
	if (error == 0)
		(void)printf("Cluster %s, %s: signed by %s, in %s\n", any.cluster,
			     any_document_title(&any, title), signing_keys_ids(keys, ids), output);
	free(signed_document);
	any_document_clear(&any);
	return error;
}

static int run(int argc, char **argv)
{
	struct signing_keys keys = {0};
	const char *output = NULL;
	struct failure failure;
	int option, error;

	while ((option = getopt_long(argc, argv, "k:o:h", option_table, NULL)) != -1) {
		switch (option) {
		case 'k':
			if (signing_keys_add(&keys, optarg, &failure) < 0)
				return admin_usage(argv[0], "%s", failure.text);
			break;
		case 'o':
			output = optarg;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (argc - optind != 1)
		return admin_usage(argv[0], "one DOCUMENT is wanted, %d given", argc - optind);
	if (keys.count == 0)
		return admin_usage(argv[0], "-k KEYFILE is missing");
	error = sign_run(&keys, argv[optind], output == NULL ? argv[optind] : output, &failure);
	signing_keys_clear(&keys);
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
