/* command_edit.c - mcadmin add, remove, weight and replace: a change of cluster.conf by a command,
 * with its comments kept, and the plan that follows from it.  The cluster is not touched. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/admin.h"
#include "admin/file.h"
#include "admin/proposal.h"
#include "admin/server_edit.h"
#include "admin/target.h"
#include "list/conftext.h"

/* clang-format off */
#define HOST_USAGE \
	"      --host NAME           the agent that works for it; by default the one at\n" \
	"                            the server's address\n" \
	"      --host-address ADDRESS\n" \
	"                            --host is new: where its agent listens, address and\n" \
	"                            port\n" \
	"      --host-key KEY        and its public key: base64, or the file of it\n"
#define EDIT_USAGE \
	PROPOSAL_USAGE_PARENT \
	"      --no-plan             change the file alone, and ask nobody\n" \
	PROPOSAL_USAGE_ASK_PARENT \
	PROPOSAL_USAGE_RATES \
	"      --json                the plan as one JSON object\n" TARGET_USAGE \
	"  -h, --help                this text\n"
#define HOST_OPTIONS \
	{"host", required_argument, NULL, 'H'}, \
	{"host-address", required_argument, NULL, 'A'}, \
	{"host-key", required_argument, NULL, 'K'}
#define EDIT_OPTIONS \
	PROPOSAL_OPTIONS_PARENT, \
	{"no-plan", no_argument, NULL, 'n'}, \
	PROPOSAL_OPTIONS_FORECAST, \
	{"json", no_argument, NULL, 'j'}, \
	{"help", no_argument, NULL, 'h'}, \
	TARGET_OPTIONS, \
	{NULL, 0, NULL, 0}
/* clang-format on */

static const char add_usage[] =
    "Usage: mcadmin add CLUSTER.CONF SERVER ADDRESS:PORT [--weight N]\n"
    "                   [--host NAME [--host-address ADDRESS --host-key KEY]]\n"
    "\n"
    "Adds a memcached to CLUSTER.CONF, its comments kept, and shows the plan.\n"
    "Nothing moves before 'mcadmin apply'.\n"
    "\n"
    "      --weight N            its share of the keys against the others' (100)\n"
    "      --label LABEL         what a ring hashes for it, where that is not its\n"
    "                            address\n"
    "      --wipe N              so many items may be dropped there: it holds data\n"
    "                            that the cluster does not know\n" HOST_USAGE EDIT_USAGE;

static const char remove_usage[] =
    "Usage: mcadmin remove CLUSTER.CONF SERVER [--giveup] [--with-host]\n"
    "\n"
    "Takes a memcached out of CLUSTER.CONF, the other comments kept, and shows the\n"
    "plan.  Nothing moves before 'mcadmin apply'.\n"
    "\n"
    "      --giveup              it is dead: show what is lost ('mcadmin apply' wants\n"
    "                            --giveup SERVER then)\n"
    "      --with-host           its agent leaves as well, if it works for no other\n" EDIT_USAGE;

static const char weight_usage[] =
    "Usage: mcadmin weight CLUSTER.CONF SERVER N\n"
    "\n"
    "Gives a memcached another share of the keys in CLUSTER.CONF, its comments kept,\n"
    "and shows the plan.  Nothing moves before 'mcadmin apply'.\n"
    "\n" EDIT_USAGE;

static const char replace_usage[] =
    "Usage: mcadmin replace CLUSTER.CONF SERVER ADDRESS:PORT [--name NEW] [--giveup]\n"
    "                       [--host NAME [--host-address ADDRESS --host-key KEY]]\n"
    "                       [--with-host]\n"
    "\n"
    "Puts a memcached at another address in the place of SERVER, with its weight, in\n"
    "CLUSTER.CONF, its comments kept, and shows the plan.  Nothing moves before\n"
    "'mcadmin apply'.\n"
    "\n"
    "      --name NEW            the new one's name; by default it keeps SERVER's\n"
    "      --giveup              the old one is dead: show what is lost ('mcadmin\n"
    "                            apply' wants --giveup SERVER then)\n" HOST_USAGE
    "      --with-host           the old one's agent leaves, if it works for no other\n" EDIT_USAGE;

static const struct option add_options[] = {{"weight", required_argument, NULL, 'w'},
					    {"label", required_argument, NULL, 'l'},
					    {"wipe", required_argument, NULL, 'W'},
					    HOST_OPTIONS,
					    EDIT_OPTIONS};
static const struct option remove_options[] = {
    {"giveup", no_argument, NULL, 'g'}, {"with-host", no_argument, NULL, 'x'}, EDIT_OPTIONS};
static const struct option weight_options[] = {EDIT_OPTIONS};
static const struct option replace_options[] = {{"name", required_argument, NULL, 'N'},
						{"giveup", no_argument, NULL, 'g'},
						HOST_OPTIONS,
						{"with-host", no_argument, NULL, 'x'},
						EDIT_OPTIONS};

struct edit {
	const struct command *command;
	struct server_edit words;
	bool giveup, no_plan, json;
	struct proposal_ask ask;
	struct target target;
};

static const struct {
	const struct command *command;
	const char *wanted; /* its arguments */
	int count;
	int (*edit)(const struct server_edit *words, const struct list *wanted,
		    struct conf_edit *text, struct failure *failure);
} kinds[] = {
    {&command_add, "CLUSTER.CONF SERVER ADDRESS:PORT", 3, server_edit_add},
    {&command_remove, "CLUSTER.CONF SERVER", 2, server_edit_remove},
    {&command_weight, "CLUSTER.CONF SERVER N", 3, server_edit_weight},
    {&command_replace, "CLUSTER.CONF SERVER ADDRESS:PORT", 3, server_edit_replace},
};

static size_t kind_of(const struct command *command)
{
	size_t i = 0;

	while (kinds[i].command != command)
		i++;
	return i;
}

/* ---- the file ---- */

/* Where the file really is: what is put in its place must not replace a link to it. */
static int file_put(const char *path, const char *text, struct failure *failure)
{
	char real[PATH_MAX];
	struct stat st;

	if (realpath(path, real) == NULL || stat(real, &st) < 0)
		return failure_set(failure, errno, "%s: %s", path, strerror(errno));
	return file_write(real, st.st_mode & 07777, true, text, strlen(text), failure);
}

/* The new text, and what it says. */
static int edit_make(const struct edit *edit, struct conf_edit **text, struct cluster_conf **conf,
		     struct failure *failure)
{
	struct cluster_conf *before = NULL;
	struct conf_edit *made = NULL;
	char *read = NULL;
	size_t length;
	int error = file_read(edit->words.path, CONFTEXT_BYTES_MAX, &read, &length, failure);

	if (error == 0)
		error = cluster_conf_load(edit->words.path, &before, failure);
	if (error == 0)
		error = conf_edit_new(edit->words.path, read, &made, failure);
	if (error == 0)
		error = kinds[kind_of(edit->command)].edit(&edit->words, &before->wanted, made,
							   failure);
	if (error == 0)
		error = cluster_conf_parse(edit->words.path, conf_edit_text(made), conf, failure);
	if (error == 0) {
		*text = made;
		made = NULL;
	}
	conf_edit_free(made);
	cluster_conf_free(before);
	free(read);
	return error;
}

static int plan_print(const struct edit *edit, const struct proposal *proposal,
		      struct failure *failure)
{
	struct json json;
	int error;

	if (!edit->json)
		return proposal_say(proposal, edit->words.path, stdout, failure);
	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	error = proposal_json(proposal, &json);
	json_object_close(&json);
	json_end(&json);
	return error < 0 ? failure_set(failure, -error, "no memory for the plan") : 0;
}

static void next_print(const struct edit *edit)
{
	if (edit->json)
		return;
	(void)printf("%s%s is changed.  Next:\n  mcadmin apply %s -k KEY%s%s\n",
		     edit->no_plan ? "" : "\n", edit->words.path, edit->words.path,
		     edit->giveup ? " --giveup " : "", edit->giveup ? edit->words.server : "");
}

static int edit_run(const struct edit *edit, struct link *link, struct conf_edit *text,
		    struct cluster_conf *conf, struct failure *failure)
{
	struct proposal proposal = {0};
	struct failure why;
	int error = 0;

	if (!edit->no_plan)
		error = proposal_make(link, &edit->ask, conf, &proposal, &why);
	if (error < 0)
		return failure_set(failure, -error, "%s; %s is as it was%s", why.text,
				   edit->words.path,
				   link != NULL ? " (--no-plan changes it without an agent)" : "");
	if (error == 0)
		error = file_put(edit->words.path, conf_edit_text(text), failure);
	if (error == 0 && !edit->no_plan)
		error = plan_print(edit, &proposal, failure);
	if (error == 0)
		next_print(edit);
	proposal_clear(&proposal);
	return error;
}

/* ---- the command line ---- */

/* Returns -1 where it was one of ours, -2 otherwise. */
static int option_take(struct edit *edit, int option)
{
	const struct {
		int option;
		const char **text;
		bool *flag;
	} all[] = {
	    {'w', &edit->words.weight, NULL},
	    {'l', &edit->words.label, NULL},
	    {'W', &edit->words.wipe, NULL},
	    {'H', &edit->words.host, NULL},
	    {'A', &edit->words.host_address, NULL},
	    {'K', &edit->words.host_key, NULL},
	    {'N', &edit->words.new_name, NULL},
	    {'g', NULL, &edit->giveup},
	    {'x', NULL, &edit->words.with_host},
	    {'n', NULL, &edit->no_plan},
	    {'j', NULL, &edit->json},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].option != option)
			continue;
		if (all[i].text != NULL)
			*all[i].text = optarg;
		else
			*all[i].flag = true;
		return -1;
	}
	return -2;
}

static int options_check(char **argv, struct edit *edit)
{
	if (edit->ask.parent != NULL && target_named(&edit->target))
		return admin_usage(argv[0],
				   "--parent and an agent: only one can say what is active");
	if (edit->no_plan &&
	    (edit->json || edit->ask.parent != NULL || target_named(&edit->target)))
		return admin_usage(argv[0], "--no-plan asks nobody and has nothing to show, so no "
					    "--json, --parent or agent goes with it");
	if ((edit->words.host_address != NULL) != (edit->words.host_key != NULL) ||
	    (edit->words.host_address != NULL && edit->words.host == NULL))
		return admin_usage(
		    argv[0], "--host, --host-address and --host-key: a new host has all three");
	if (edit->giveup)
		edit->ask.giveups[edit->ask.giveup_count++] = edit->words.server;
	return -1;
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct edit *edit)
{
	const size_t kind = kind_of(edit->command);
	int option, code;

	while ((option = getopt_long(argc, argv, "h", edit->command->options, NULL)) != -1) {
		if (target_option(&edit->target, option, optarg))
			continue;
		code = proposal_option(argv[0], &edit->ask, option, optarg);
		if (code == -2)
			code = option_take(edit, option);
		if (code == -2)
			return option == 'h' ? admin_help(edit->command->usage)
					     : admin_usage_hint(argv[0]);
		if (code >= 0)
			return code;
	}
	if (argc - optind != kinds[kind].count)
		return admin_usage(argv[0], "%s is wanted, %d argument%s given", kinds[kind].wanted,
				   argc - optind, argc - optind == 1 ? "" : "s");
	edit->words.path = argv[optind];
	edit->words.server = argv[optind + 1];
	edit->words.more = argv[optind + 2]; /* NULL where there is none */
	return options_check(argv, edit);
}

static int edit_command(int argc, char **argv, const struct command *command)
{
	struct edit edit = {.command = command};
	struct cluster_conf *conf = NULL;
	struct conf_edit *text = NULL;
	struct link_peer peer;
	struct link *link = NULL;
	struct failure failure;
	int error = proposal_ask_new(argc, &edit.ask, &failure), code = -1;

	if (error == 0)
		code = options_read(argc, argv, &edit);
	if (error == 0 && code < 0)
		error = edit_make(&edit, &text, &conf, &failure);
	if (error == 0 && code < 0 && !edit.no_plan && edit.ask.parent == NULL) {
		code = target_peer(argv[0], &edit.target, conf->wanted.cluster, &peer);
		if (code < 0)
			error = link_new(&peer, &link, &failure);
	}
	if (error == 0 && code < 0)
		error = edit_run(&edit, link, text, conf, &failure);
	if (error < 0)
		code = admin_fail(argv[0], error, &failure);
	link_free(link);
	conf_edit_free(text);
	cluster_conf_free(conf);
	proposal_ask_clear(&edit.ask);
	return code < 0 ? ADMIN_DONE : code;
}

static int add_run(int argc, char **argv)
{
	return edit_command(argc, argv, &command_add);
}

const struct command command_add = {
    .name = "add",
    .run = add_run,
    .group = GROUP_CHANGE,
    .summary = "Add a memcached to cluster.conf, and show the plan",
    .usage = add_usage,
    .options = add_options,
    .arguments = "FILE",
};

static int remove_run(int argc, char **argv)
{
	return edit_command(argc, argv, &command_remove);
}

const struct command command_remove = {
    .name = "remove",
    .run = remove_run,
    .group = GROUP_CHANGE,
    .summary = "Take a memcached out of cluster.conf, and show the plan",
    .usage = remove_usage,
    .options = remove_options,
    .arguments = "FILE",
};

static int weight_run(int argc, char **argv)
{
	return edit_command(argc, argv, &command_weight);
}

const struct command command_weight = {
    .name = "weight",
    .run = weight_run,
    .group = GROUP_CHANGE,
    .summary = "Change a memcached's share in cluster.conf, and show the plan",
    .usage = weight_usage,
    .options = weight_options,
    .arguments = "FILE",
};

static int replace_run(int argc, char **argv)
{
	return edit_command(argc, argv, &command_replace);
}

const struct command command_replace = {
    .name = "replace",
    .run = replace_run,
    .group = GROUP_CHANGE,
    .summary = "Put one in another's place in cluster.conf, and show the plan",
    .usage = replace_usage,
    .options = replace_options,
    .arguments = "FILE",
};
