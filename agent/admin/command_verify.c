/* command_verify.c - mcadmin verify: would an agent with these keys take this list or order? */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/any_document.h"
#include "admin/human.h"
#include "admin/json.h"
#include "admin/signers.h"

static const char usage[] =
    "Usage: mcadmin verify -p PUBLIC... [-t THRESHOLD] [--cluster NAME] [--json]\n"
    "                      DOCUMENT\n"
    "\n"
    "Checks a list or an order as an agent does: enough signatures by trusted keys,\n"
    "none of them wrong, and the one canonical form.  Says who signed.  (Keys\n"
    "documents are checked by 'mcadmin keys verify'.)\n"
    "\n"
    "  -p, --public PUBLIC  a trusted key: the .pub file or its base64\n"
    "  -t, --threshold N    so many of them must have signed (1)\n"
    "      --cluster NAME   it must be of this cluster\n"
    "      --json           as one JSON object\n"
    "  -h, --help           this text\n";

static const struct option option_table[] = {
    SIGNERS_OPTIONS,
    {"cluster", required_argument, NULL, 'c'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct verify_options {
	const char *path, *cluster;
	bool json;
	struct signers_trusted trusted;
};

/* What an order commands: its text is short, and its operator should see all of it. */
static void order_print(const struct order *order)
{
	char hash[2 * LIST_HASH_BYTES + 1] = "none";

	for (uint32_t i = 0; i < order->target_count; i++)
		(void)printf("target     %s at %s\n", order->targets[i].name,
			     order->targets[i].address);
	(void)printf("created    %s\n", order->created);
	human_hex(order->binding.active, LIST_HASH_BYTES, hash);
	(void)printf("active     %s\n", hash);
	if (order->binding.has_pending)
		human_hex(order->binding.pending, LIST_HASH_BYTES, hash);
	(void)printf("pending    %s\n", order->binding.has_pending ? hash : "none");
}

static void verified_json(const struct verify_options *options, const struct any_document *any,
			  const struct signers *signers)
{
	char title[ANY_TITLE_BYTES];
	struct json json;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_string(&json, "file", options->path);
	json_bool(&json, "good", true);
	json_string(&json, "cluster", any->cluster);
	json_string(&json, "document", any_document_kind(any));
	json_string(&json, "title", any_document_title(any, title));
	json_hex(&json, "hash", any->hash, LIST_HASH_BYTES);
	json_array_open(&json, "signatures");
	for (uint32_t i = 0; i < signers->count; i++) {
		json_object_open(&json, NULL);
		json_string(&json, "key_id", signers->by[i].id);
		json_bool(&json, "trusted", signers->by[i].trusted >= 0);
		json_bool(&json, "valid", signers->by[i].valid);
		json_object_close(&json);
	}
	json_array_close(&json);
	json_object_close(&json);
	json_end(&json);
}

static void verified_print(const struct verify_options *options, const struct any_document *any,
			   const struct signers *signers)
{
	char hash[2 * LIST_HASH_BYTES + 1], title[ANY_TITLE_BYTES];

	human_hex(any->hash, LIST_HASH_BYTES, hash);
	(void)printf("%s: good\ncluster    %s\n", options->path, any->cluster);
	if (any->kind == ANY_LIST)
		(void)printf("epoch      %" PRIu64 "\nhash       %s\n", any->list->epoch, hash);
	else
		(void)printf("%s\nhash       %s\n", any_document_title(any, title), hash);
	if (any->kind == ANY_ORDER)
		order_print(any->order);
	signers_print(signers, &options->trusted, "signed by  ", stdout);
}

static int verify_run(const struct verify_options *options, struct failure *failure)
{
	struct any_document any;
	struct signers signers;
	int error = any_document_file(options->path, &options->trusted, &any, failure);

	if (error < 0)
		return error;
	error = signers_read(any.bytes, any.length, &options->trusted, &signers, failure);
	if (error == 0 && any.kind == ANY_KEYS)
		error = failure_set(failure, EINVAL,
				    "%s: a keys document, which 'mcadmin keys verify' checks",
				    options->path);
	if (error == 0 && options->cluster != NULL && strcmp(options->cluster, any.cluster) != 0)
		error = failure_set(failure, EINVAL, "%s: for the cluster %s, want %s",
				    options->path, any.cluster, options->cluster);
	if (error == 0 && options->json)
		verified_json(options, &any, &signers);
	else if (error == 0)
		verified_print(options, &any, &signers);
	any_document_clear(&any);
	return error;
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
		case 'j':
			options.json = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (argc - optind != 1)
		return admin_usage(argv[0], "one DOCUMENT is wanted, %d given", argc - optind);
	if (options.trusted.trust.count == 0)
		return admin_usage(argv[0], "-p PUBLIC is missing: whose signature counts?");
	if (signers_trust_finish(&options.trusted, &failure) < 0)
		return admin_usage(argv[0], "%s", failure.text);
	options.path = argv[optind];
	error = verify_run(&options, &failure);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_verify = {
    .name = "verify",
    .run = run,
    .group = GROUP_DOCUMENT,
    .summary = "Check the form and signatures of a list or an order",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
