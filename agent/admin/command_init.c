/* command_init.c - mcadmin init: a directory with all that a new cluster begins with: cluster.conf,
 * the keys, and for each host what belongs into its /etc/mcroster. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/conf_rules.h"
#include "admin/fresh_tree.h"
#include "admin/human.h"
#include "admin/init_answers.h"
#include "admin/init_write.h"
#include "admin/json.h"
#include "admin/keyfile.h"
#include "admin/passphrase.h"

static const char usage[] =
    "Usage: mcadmin init [-o DIRECTORY] [--cluster NAME]\n"
    "                    [--host NAME=ADDRESS]... [--host-key NAME=KEY]...\n"
    "                    [--agent-port N] [--server-port N] [--operator PUBLIC]\n"
    "                    [--passphrase-file F | --no-passphrase] [--json]\n"
    "\n"
    "Begins a cluster: writes a commented cluster.conf, the operator's key, the\n"
    "pre-shared key, and for each host a directory with what belongs into its\n"
    "/etc/mcroster.  Without --host it asks for all of it at the terminal.  Nothing\n"
    "that is there is overwritten, and no host is spoken to.\n"
    "\n"
    "  -o, --output DIRECTORY    where it goes; by default the cluster's name\n"
    "      --cluster NAME        the cluster's name (web)\n"
    "      --host NAME=ADDRESS   a host, by its numeric address; may be repeated.\n"
    "                            The first one coordinates changes\n"
    "      --host-key NAME=KEY   the public key that 'mcadmin hostkey' made on the\n"
    "                            host: base64, or the file of it; by default one is\n"
    "                            made here\n"
    "      --agent-port N        where agents listen (11280)\n"
    "      --server-port N       where the hosts' memcacheds listen (11211); 0: there\n"
    "                            are none\n"
    "      --operator PUBLIC     an operator's public key (.pub file or base64); by\n"
    "                            default one is made\n" PASSPHRASE_USAGE
    "      --json                what was written, as one JSON object\n"
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    {"output", required_argument, NULL, 'o'},
    {"cluster", required_argument, NULL, 'c'},
    {"host", required_argument, NULL, 'H'},
    {"host-key", required_argument, NULL, 'K'},
    {"agent-port", required_argument, NULL, 'a'},
    {"server-port", required_argument, NULL, 's'},
    {"operator", required_argument, NULL, 'O'},
    PASSPHRASE_OPTIONS,
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct init {
	const char *output;
	bool json;
	struct passphrase_wanted passphrase; /* of the operator's key */
	struct init_answers answers;
	struct fresh_tree tree;
};

/* ---- what is said ---- */

static void init_json(const struct init *init)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_string(&json, "cluster", init->answers.cluster);
	json_string(&json, "directory", init->tree.root);
	json_array_open(&json, "files");
	for (uint32_t i = 0; i < init->tree.count; i++)
		json_string(&json, NULL, init->tree.made[i]);
	json_array_close(&json);
	json_object_close(&json);
	json_end(&json);
}

static void init_print(const struct init *init)
{
	const struct init_answers *answers = &init->answers;
	const char *root = init->tree.root;

	(void)printf("Cluster %s, in %s:\n"
		     "  cluster.conf    what the cluster is to be; edit it as you like\n",
		     answers->cluster, root);
	if (!answers->has_operator)
		(void)printf("  operator.key    signs lists: whoever has it commands the cluster;\n"
			     "                  no agent needs it, so leave it on no host\n");
	(void)printf("  psk             lets hosts speak to each other\n");
	for (uint32_t i = 0; i < answers->host_count; i++)
		(void)printf(
		    "  %s/%*s for /etc/mcroster on %s%s\n", answers->hosts[i].name,
		    (int)(14 - (strlen(answers->hosts[i].name) < 14 ? strlen(answers->hosts[i].name)
								    : 14)),
		    "", answers->hosts[i].name,
		    answers->hosts[i].has_key ? ", beside its host.key" : "");
	(void)printf("\nNext, on each host: copy its directory's files to /etc/mcroster, then\n"
		     "  chown mcroster /etc/mcroster/host.key /etc/mcroster/psk\n"
		     "  systemctl enable --now mcrosterd\n"
		     "Then, where an agent runs, with the key there only for so long:\n"
		     "  mcadmin apply %s/cluster.conf -k %s%s\n"
		     "or 'mcadmin sign' where the key is, and 'mcadmin push' on a host.\n",
		     root, answers->has_operator ? "" : root,
		     answers->has_operator ? "KEY" : "/operator.key");
}

static int init_run(struct init *init, struct failure *failure)
{
	int error = fresh_tree_begin(
	    &init->tree, init->output != NULL ? init->output : init->answers.cluster, failure);

	if (error == 0)
		error = init_write(
		    &(struct init_write){&init->answers, &init->passphrase, &init->tree}, failure);
	if (error < 0) {
		fresh_tree_undo(&init->tree);
		return error;
	}
	if (init->json)
		init_json(init);
	else
		init_print(init);
	fresh_tree_keep(&init->tree);
	return 0;
}

/* ---- the command line ---- */

/* The words of it, kept until the ports are known. */
struct init_words {
	const char **hosts, **keys;
	uint32_t host_count, key_count;
	uint32_t agent_port, server_port;
};

static int hosts_take(const char *command, struct init *init, const struct init_words *words)
{
	struct failure failure;

	for (uint32_t i = 0; i < words->host_count; i++)
		if (init_answers_host(&init->answers, words->hosts[i], words->agent_port,
				      words->server_port, &failure) < 0)
			return admin_usage(command, "--host: %s", failure.text);
	for (uint32_t i = 0; i < words->key_count; i++)
		if (init_answers_key(&init->answers, words->keys[i], &failure) < 0)
			return admin_usage(command, "%s", failure.text);
	return -1;
}

static bool port_take(const char *text, uint64_t min, uint32_t *port)
{
	uint64_t number;

	if (!human_number(text, min, 65535, &number))
		return false;
	*port = (uint32_t)number;
	return true;
}

/* Returns a negative number to go on, an exit code otherwise. */
static int option_take(const char *command, struct init *init, struct init_words *words, int option)
{
	struct init_answers *answers = &init->answers;
	struct failure failure;

	if (passphrase_option(&init->passphrase, option, optarg))
		return -1;
	switch (option) {
	case 'o':
		init->output = optarg;
		return -1;
	case 'c':
		if (!conf_name_valid(optarg))
			return admin_usage(command, "--cluster '%s' is not a cluster's name",
					   optarg);
		(void)snprintf(answers->cluster, sizeof(answers->cluster), "%s", optarg);
		return -1;
	case 'H':
		words->hosts[words->host_count++] = optarg;
		return -1;
	case 'K':
		words->keys[words->key_count++] = optarg;
		return -1;
	case 'a':
	case 's':
		if (port_take(optarg, option == 'a' ? 1 : 0,
			      option == 'a' ? &words->agent_port : &words->server_port))
			return -1;
		return admin_usage(command, "'%s' is no port", optarg);
	case 'O':
		answers->has_operator = true;
		if (keyfile_public_load(optarg, answers->operator_key, &failure) < 0)
			return admin_usage(command, "--operator: %s", failure.text);
		return -1;
	case 'j':
		init->json = true;
		return -1;
	case 'h':
		return admin_help(usage);
	default:
		return admin_usage_hint(command);
	}
}

static int words_read(int argc, char **argv, struct init *init, struct init_words *words)
{
	int option, code;

	while ((option = getopt_long(argc, argv, "o:h", option_table, NULL)) != -1) {
		code = option_take(argv[0], init, words, option);
		if (code >= 0)
			return code;
	}
	if (optind < argc)
		return admin_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	return hosts_take(argv[0], init, words);
}

static int options_read(int argc, char **argv, struct init *init)
{
	struct init_words words = {.agent_port = INIT_AGENT_PORT, .server_port = INIT_SERVER_PORT};
	struct failure failure;
	int code;

	words.hosts = calloc((size_t)argc + 1, sizeof(*words.hosts));
	words.keys = calloc((size_t)argc + 1, sizeof(*words.keys));
	if (words.hosts != NULL && words.keys != NULL)
		code = words_read(argc, argv, init, &words);
	else
		code = admin_fail(argv[0], failure_set(&failure, ENOMEM, "no memory"), &failure);
	free(words.hosts);
	free(words.keys);
	return code;
}

static int run(int argc, char **argv)
{
	const struct prompt prompt = {stdin, stdout};
	struct init init = {.json = false};
	struct failure failure;
	int error = 0, code = options_read(argc, argv, &init);

	if (code < 0 && init.answers.host_count == 0 && (init.json || !prompt_possible(&prompt)))
		code = admin_usage(argv[0], "nobody can be asked here: --host NAME=ADDRESS says "
					    "what the cluster is to be");
	if (code < 0 && init.answers.host_count == 0)
		error = init_answers_ask(&init.answers, &prompt, &failure);
	else if (init.answers.cluster[0] == '\0')
		memcpy(init.answers.cluster, "web", sizeof("web"));
	if (code < 0 && error == 0)
		error = init_run(&init, &failure);
	init_answers_clear(&init.answers);
	if (code >= 0)
		return code;
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_init = {
    .name = "init",
    .run = run,
    .group = GROUP_SETUP,
    .summary = "Begin a cluster: cluster.conf, keys, and the hosts' files",
    .usage = usage,
    .options = option_table,
};
