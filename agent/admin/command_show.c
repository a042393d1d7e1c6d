/* command_show.c - mcadmin show: a signed document readable, from a file or an agent. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "admin/admin.h"
#include "admin/any_document.h"
#include "admin/human.h"
#include "admin/json.h"
#include "admin/keys_report.h"
#include "admin/link.h"
#include "admin/list_report.h"
#include "admin/order_show.h"
#include "admin/screen.h"
#include "admin/signers.h"
#include "admin/target.h"
#include "admin/unaware_hash.h"

static const char usage[] =
    "Usage: mcadmin show [-p PUBLIC]... [-t N] [--json | --raw]\n"
    "                    [DOCUMENT | [--hash HASH | --unaware] --agent ...]\n"
    "\n"
    "Shows a list, an order or a keys document; without a file, the active list of\n"
    "an agent.\n"
    "\n"
    "      --hash HASH           what the agent holds under this hash; documents are\n"
    "                            named so by 'mcadmin status'\n"
    "      --unaware             the list for clients that know nothing of phases:\n"
    "                            while a change runs, the next one from SWITCH on\n" SIGNERS_USAGE
    "      --json                as one JSON object\n"
    "      --raw                 the document itself, byte for byte\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    SIGNERS_OPTIONS,
    {"json", no_argument, NULL, 'j'},
    {"raw", no_argument, NULL, 'r'},
    {"hash", required_argument, NULL, 'H'},
    {"unaware", no_argument, NULL, 'u'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct show_options {
	const char *path;
	bool json, raw, has_hash, unaware;
	uint8_t hash[LIST_HASH_BYTES];
	struct signers_trusted trusted;
	struct target target;
};

static int list_print(const struct show_options *options, const struct list *list,
		      const struct signers *signers, FILE *out)
{
	char hash[2 * LIST_HASH_BYTES + 1], parent[2 * LIST_HASH_BYTES + 1] = "none";
	char distribution[DISTRIBUTION_TEXT_BYTES];
	int error;

	human_hex(list->hash, sizeof(list->hash), hash);
	if (list->has_parent)
		human_hex(list->parent, sizeof(list->parent), parent);
	(void)fprintf(out, "cluster       %s\nepoch         %" PRIu64 "\nhash          %s\n",
		      list->cluster, list->epoch, hash);
	(void)fprintf(out, "parent        %s\ncreated       %s\n", parent, list->created);
	signers_print(signers, &options->trusted, "signed by     ", out);
	list_report_distribution(list, distribution);
	(void)fprintf(out, "distribution  %s\n", distribution);
	list_report_policy(list, out);
	for (uint32_t i = 0; i < list->giveup_count; i++)
		(void)fprintf(out, "%-14s%s at %s\n", i == 0 ? "given up" : "",
			      list->giveups[i].name, list->giveups[i].address);
	(void)fputc('\n', out);
	error = list_report_agents(list, out);
	(void)fputc('\n', out);
	return error == 0 ? list_report_servers(list, out) : error;
}

static int text_write(const struct show_options *options, const struct any_document *any,
		      const struct signers *signers, FILE *out, struct failure *failure)
{
	switch (any->kind) {
	case ANY_LIST:
		return list_print(options, any->list, signers, out);
	case ANY_ORDER:
		order_show_text(any->order, out);
		signers_print(signers, &options->trusted, "signed by     ", out);
		return 0;
	case ANY_KEYS:
		return keys_report_text(any->keys, out, failure);
	}
	return -EINVAL;
}

static int text_print(const struct show_options *options, const struct any_document *any,
		      const struct signers *signers, struct failure *failure)
{
	struct page page;
	int error = page_begin(&page, stdout), shown;

	if (error < 0)
		return error;
	error = text_write(options, any, signers, page.text, failure);
	shown = page_end(&page, stdout);
	return error < 0 ? error : shown;
}

static void json_print_signers(const struct show_options *options, const struct signers *signers,
			       struct json *json)
{
	json_bool(json, "verified", options->trusted.trust.count > 0);
	json_array_open(json, "signatures");
	for (uint32_t i = 0; i < signers->count; i++) {
		json_object_open(json, NULL);
		json_string(json, "key_id", signers->by[i].id);
		json_bool(json, "trusted", signers->by[i].trusted >= 0);
		json_bool(json, "valid", signers->by[i].valid);
		json_object_close(json);
	}
	json_array_close(json);
}

static int json_print(const struct show_options *options, const struct any_document *any,
		      const struct signers *signers, struct failure *failure)
{
	struct json json;
	int error = 0;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	if (any->kind == ANY_LIST)
		error = list_report_json(any->list, &json);
	else if (any->kind == ANY_ORDER)
		order_show_json(any->order, &json);
	if (any->kind == ANY_KEYS) /* lists its signatures itself */
		error = keys_report_json(any->keys, &json, failure);
	else
		json_print_signers(options, signers, &json);
	json_object_close(&json);
	json_end(&json);
	return error;
}

static int show_print(const struct show_options *options, const struct any_document *any,
		      struct failure *failure)
{
	struct signers signers;
	int error = signers_read(any->bytes, any->length, &options->trusted, &signers, failure);

	if (error < 0)
		return error;
	if (options->raw) {
		(void)fwrite(any->bytes, 1, any->length, stdout);
		return 0;
	}
	(void)failure_set(failure, 0, "no memory to print the %s", any_document_kind(any));
	return options->json ? json_print(options, any, &signers, failure)
			     : text_print(options, any, &signers, failure);
}

static bool hash_read(const char *text, uint8_t hash[LIST_HASH_BYTES])
{
	size_t bytes = 0;
	const char *end = text;

	return sodium_hex2bin(hash, LIST_HASH_BYTES, text, strlen(text), NULL, &bytes, &end) == 0 &&
	       bytes == LIST_HASH_BYTES && *end == '\0' && !sodium_is_zero(hash, LIST_HASH_BYTES);
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct show_options *options)
{
	struct failure failure;
	int option, code;

	while ((option = getopt_long(argc, argv, SIGNERS_LETTERS "h", option_table, NULL)) != -1) {
		if (target_option(&options->target, option, optarg))
			continue;
		code = signers_option(argv[0], &options->trusted, option, optarg);
		if (code >= 0)
			return code;
		if (code == -1)
			continue;
		switch (option) {
		case 'j':
			options->json = true;
			break;
		case 'r':
			options->raw = true;
			break;
		case 'H':
			options->has_hash = hash_read(optarg, options->hash);
			if (!options->has_hash)
				return admin_usage(argv[0],
						   "--hash '%s': 64 hexadecimal digits are wanted",
						   optarg);
			break;
		case 'u':
			options->unaware = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (argc - optind > 1)
		return admin_usage(argv[0], "one DOCUMENT at most, %d given", argc - optind);
	if (options->has_hash && options->unaware)
		return admin_usage(argv[0], "--hash and --unaware: one of them");
	if (optind < argc &&
	    (target_named(&options->target) || options->has_hash || options->unaware))
		return admin_usage(argv[0], "a DOCUMENT and an agent's: one of them");
	if (options->json && options->raw)
		return admin_usage(argv[0], "--json and --raw: one of them");
	if (signers_trust_finish(&options->trusted, &failure) < 0)
		return admin_usage(argv[0], "%s", failure.text);
	options->path = optind < argc ? argv[optind] : NULL;
	return -1;
}

static int run(int argc, char **argv)
{
	struct show_options options = {0};
	struct link_peer peer;
	struct link *link = NULL;
	struct any_document any = {0};
	struct failure failure;
	int error, code = options_read(argc, argv, &options);

	if (code < 0 && options.path == NULL)
		code = target_peer(argv[0], &options.target, NULL, &peer);
	if (code >= 0)
		return code;
	if (options.path != NULL) {
		error = any_document_file(options.path, &options.trusted, &any, &failure);
	} else {
		error = link_new(&peer, &link, &failure);
		if (error == 0 && options.unaware)
			error = unaware_hash(link, &options.has_hash, options.hash, &failure);
		if (error == 0)
			error = any_document_agent(link, options.has_hash ? options.hash : NULL,
						   &options.trusted, &any, &failure);
	}
	if (error == 0)
		error = show_print(&options, &any, &failure);
	any_document_clear(&any);
	link_free(link);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_show = {
    .name = "show",
    .run = run,
    .group = GROUP_WATCH,
    .summary = "Show a list, an order or a keys document",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
