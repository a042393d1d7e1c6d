/* command_pace.c - mcadmin pace: changes the limits of an agent's movers, also of a running move.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/human.h"
#include "admin/json.h"
#include "admin/link.h"
#include "admin/target.h"

#define RATE_MAX 1000000000000u

static const char usage[] =
    "Usage: mcadmin pace [--keys N] [--bytes N] [--adaptive yes|no] [--json]\n"
    "                    [--cluster NAME | --agent ...]\n"
    "\n"
    "Changes how fast an agent moves keys, also while it does; it holds until the\n"
    "agent is started anew.  What is not given stays.  Over the control socket only.\n"
    "\n"
    "      --keys N              keys a second at most; 0 is no limit\n"
    "      --bytes N             bytes of items a second at most; 0 is no limit\n"
    "      --adaptive yes|no     give way to the servers' other clients\n"
    "      --json                as one JSON object\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    {"keys", required_argument, NULL, 'k'},
    {"bytes", required_argument, NULL, 'b'},
    {"adaptive", required_argument, NULL, 'a'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct pace {
	uint64_t keys, bytes;
	uint8_t adaptive;
};

static int pace_run(struct link_peer *peer, const struct pace *pace, enum verdict *verdict,
		    char text[MESSAGE_TEXT_BYTES], struct failure *failure)
{
	struct link *link;
	int error = link_new(peer, &link, failure);

	if (error == 0) {
		error = link_pace(link, pace->keys, pace->bytes, pace->adaptive, verdict, text,
				  failure);
		link_free(link);
	}
	return error;
}

static bool adaptive_take(const char *text, uint8_t *adaptive)
{
	if (strcmp(text, "yes") == 0)
		*adaptive = PACE_ADAPTIVE_YES;
	else if (strcmp(text, "no") == 0)
		*adaptive = PACE_ADAPTIVE_NO;
	else
		return false;
	return true;
}

static void pace_json(enum verdict verdict, const char *text)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_string(&json, "result", verdict == VERDICT_ACCEPTED ? "accepted" : "refused");
	json_string(&json, "reason", text);
	json_object_close(&json);
	json_end(&json);
}

static int run(int argc, char **argv)
{
	struct pace pace = {PACE_UNCHANGED, PACE_UNCHANGED, PACE_ADAPTIVE_UNCHANGED};
	char text[MESSAGE_TEXT_BYTES];
	struct target target = {0};
	struct link_peer peer;
	struct failure failure;
	enum verdict verdict;
	bool as_json = false;
	int option, error, code;

	while ((option = getopt_long(argc, argv, "h", option_table, NULL)) != -1) {
		bool good = true;

		if (target_option(&target, option, optarg))
			continue;
		switch (option) {
		case 'k':
			good = human_number(optarg, 0, RATE_MAX, &pace.keys);
			break;
		case 'b':
			good = human_number(optarg, 0, RATE_MAX, &pace.bytes);
			break;
		case 'a':
			good = adaptive_take(optarg, &pace.adaptive);
			break;
		case 'j':
			as_json = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
		if (!good)
			return admin_usage(argv[0],
					   option == 'a' ? "'%s' is neither yes nor no"
							 : "'%s' is no number from 0 to "
							   "1000000000000",
					   optarg);
	}
	if (optind < argc)
		return admin_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	code = target_peer(argv[0], &target, NULL, &peer);
	if (code >= 0)
		return code;
	error = pace_run(&peer, &pace, &verdict, text, &failure);
	if (error < 0)
		return admin_fail(argv[0], error, &failure);
	if (as_json)
		pace_json(verdict, text);
	else
		(void)fprintf(verdict == VERDICT_ACCEPTED ? stdout : stderr, "%s\n", text);
	return verdict == VERDICT_ACCEPTED ? ADMIN_DONE : ADMIN_REFUSED;
}

const struct command command_pace = {
    .name = "pace",
    .run = run,
    .group = GROUP_WATCH,
    .summary = "Change how fast an agent moves keys, also while it does",
    .usage = usage,
    .options = option_table,
};
