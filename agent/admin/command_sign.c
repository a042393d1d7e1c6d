/* command_sign.c - mcadmin sign: an operator's signature under a list that agents would take. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "admin/admin.h"
#include "admin/file.h"
#include "admin/keyfile.h"
#include "admin/list_source.h"

static const char usage[] =
    "Usage: mcadmin sign -k KEYFILE LIST [-o OUT]\n"
    "\n"
    "Adds a signature to a list, after checking that it is one that agents take.\n"
    "\n"
    "  -k, --key KEYFILE  the operator's secret key, from 'mcadmin keygen'\n"
    "  -o, --output OUT   where the signed list goes; by default LIST is replaced\n"
    "  -h, --help         this text\n";

static int sign_run(const char *key_path, const char *path, const char *output,
		    struct failure *failure)
{
	struct list *list = NULL;
	uint8_t *secret = NULL;
	void *signed_document = NULL;
	size_t signed_bytes;
	char id[DOCUMENT_KEY_ID_CHARS + 1];
	struct failure why;
	int error = list_source_file(path, NULL, &list, failure);

	if (error == 0)
		error = keyfile_operator_load(key_path, &secret, failure);
	if (error == 0) {
		error = document_sign(list->document, list->document_bytes, secret,
				      &signed_document, &signed_bytes, &why);
		if (error < 0)
			(void)failure_set(failure, -error, "%s: %s", path, why.text);
	}
	if (error == 0)
		error = file_write(output, 0644, true, signed_document, signed_bytes, failure);
	if (error == 0) {
		/* libsodium keeps the public key in the secret's second half. */
		document_key_id(secret + crypto_sign_SEEDBYTES, id);
		(void)printf("Cluster %s, epoch %" PRIu64 ": signed by %s, in %s\n", list->cluster,
			     list->epoch, id, output);
	}
	free(signed_document);
	sodium_free(secret);
	list_free(list);
	return error;
}

int command_sign(int argc, char **argv)
{
	static const struct option table[] = {
	    {"key", required_argument, NULL, 'k'},
	    {"output", required_argument, NULL, 'o'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	const char *key = NULL, *output = NULL;
	struct failure failure;
	int option, error;

	while ((option = getopt_long(argc, argv, "k:o:h", table, NULL)) != -1) {
		switch (option) {
		case 'k':
			key = optarg;
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
		return admin_usage(argv[0], "one LIST is wanted, %d given", argc - optind);
	if (key == NULL)
		return admin_usage(argv[0], "-k KEYFILE is missing");
	error = sign_run(key, argv[optind], output == NULL ? argv[optind] : output, &failure);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}
