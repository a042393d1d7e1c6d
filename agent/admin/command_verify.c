/* command_verify.c - mcadmin verify: would an agent with these keys take this list? */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/human.h"
#include "admin/list_source.h"
#include "admin/signers.h"

static const char usage[] =
    "Usage: mcadmin verify -p PUBLIC... [-t THRESHOLD] [--cluster NAME] LIST\n"
    "\n"
    "Checks a list as an agent does: enough signatures by trusted keys, none of them\n"
    "wrong, and the one canonical form.  Says who signed.\n"
    "\n"
    "  -p, --public PUBLIC  a trusted key: the .pub file or its base64\n"
    "  -t, --threshold N    so many of them must have signed (1)\n"
    "      --cluster NAME   the list must be of this cluster\n"
    "  -h, --help           this text\n";

struct verify_options {
	const char *path, *cluster;
	struct signers_trusted trusted;
};

static int verify_run(const struct verify_options *options, struct failure *failure)
{
	struct list *list = NULL;
	struct signers signers;
	char hash[2 * LIST_HASH_BYTES + 1];
	int error = list_source_file(options->path, &options->trusted, &list, failure);

	if (error < 0)
		return error;
	error = signers_read(list->document, list->document_bytes, &options->trusted, &signers,
			     failure);
	if (error == 0 && options->cluster != NULL && strcmp(options->cluster, list->cluster) != 0)
		error = failure_set(failure, EINVAL, "%s: for the cluster %s, want %s",
				    options->path, list->cluster, options->cluster);
	if (error == 0) {
		human_hex(list->hash, sizeof(list->hash), hash);
		(void)printf("%s: good\ncluster    %s\nepoch      %" PRIu64 "\nhash       %s\n",
			     options->path, list->cluster, list->epoch, hash);
		signers_print(&signers, &options->trusted, "signed by  ", stdout);
	}
	list_free(list);
	return error;
}

int command_verify(int argc, char **argv)
{
	static const struct option table[] = {
	    {"public", required_argument, NULL, 'p'},
	    {"threshold", required_argument, NULL, 't'},
	    {"cluster", required_argument, NULL, 'c'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	struct verify_options options = {0};
	struct failure failure;
	uint64_t threshold = 0;
	int option, error;

	while ((option = getopt_long(argc, argv, "p:t:h", table, NULL)) != -1) {
		switch (option) {
		case 'p':
			error = signers_trust_add(&options.trusted, optarg, &failure);
			if (error < 0)
				return admin_fail(argv[0], error, &failure);
			break;
		case 't':
			if (!human_number(optarg, 1, TRUST_KEYS_MAX, &threshold))
				return admin_usage(argv[0],
						   "-t '%s': a number from 1 to %u is wanted",
						   optarg, TRUST_KEYS_MAX);
			break;
		case 'c':
			options.cluster = optarg;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (argc - optind != 1)
		return admin_usage(argv[0], "one LIST is wanted, %d given", argc - optind);
	if (options.trusted.trust.count == 0)
		return admin_usage(argv[0], "-p PUBLIC is missing: whose signature counts?");
	if (signers_trust_finish(&options.trusted, (uint32_t)threshold, &failure) < 0)
		return admin_usage(argv[0], "%s", failure.text);
	options.path = argv[optind];
	error = verify_run(&options, &failure);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}
