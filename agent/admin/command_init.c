/* command_init.c - mcadmin init: the first list of a cluster. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/admin.h"
#include "admin/cluster_conf.h"
#include "admin/file.h"
#include "admin/list_report.h"
#include "admin/next_list.h"

static const char usage[] =
    "Usage: mcadmin init CLUSTER.CONF -o LIST\n"
    "\n"
    "Writes the first list of a cluster, unsigned.  It describes the servers as they\n"
    "run: taking it up touches no server and no item.\n"
    "\n"
    "  -o, --output LIST  where the list goes (replaced if it is there)\n"
    "  -h, --help         this text\n";

static const struct option option_table[] = {
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void next_steps_print(const char *path)
{
	(void)printf("\nNext: sign it with the operator's key, then give it to any one agent:\n"
		     "  mcadmin sign -k KEY %s\n"
		     "  mcadmin push %s\n",
		     path, path);
}

static void init_print(const struct list *list, const char *output)
{
	char distribution[DISTRIBUTION_TEXT_BYTES];

	if (list->distribution == DISTRIBUTION_SLOTS)
		(void)snprintf(distribution, sizeof(distribution), "%u slots", list->slot_count);
	else
		list_report_distribution(list, distribution);
	(void)printf("First list of the cluster %s: epoch 1, %s, unsigned, in %s\n\n",
		     list->cluster, distribution, output);
}

static int init_run(const char *conf_path, const char *output, struct failure *failure)
{
	struct cluster_conf *conf = NULL;
	struct list *list = NULL;
	int error = cluster_conf_load(conf_path, &conf, failure);

	if (error == 0)
		error = next_list_make(conf, NULL, 0, &list, failure);
	if (error == 0)
		error =
		    file_write(output, 0644, true, list->document, list->document_bytes, failure);
	if (error == 0) {
		init_print(list, output);
		if (list_report_servers(list, stdout) < 0)
			error = failure_set(failure, ENOMEM, "no memory to print the list");
		else
			next_steps_print(output);
	}
	list_free(list);
	cluster_conf_free(conf);
	return error;
}

static int run(int argc, char **argv)
{
	const char *output = NULL;
	struct failure failure;
	int option, error;

	while ((option = getopt_long(argc, argv, "o:h", option_table, NULL)) != -1) {
		switch (option) {
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
		return admin_usage(argv[0], "one CLUSTER.CONF is wanted, %d given", argc - optind);
	if (output == NULL)
		return admin_usage(argv[0], "-o LIST is missing");
	error = init_run(argv[optind], output, &failure);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_init = {
    .name = "init",
    .run = run,
    .group = GROUP_SETUP,
    .summary = "Write the first list of a cluster",
    .usage = usage,
    .options = option_table,
    .arguments = "FILE",
};
