/* command_doctor.c - mcadmin doctor: what is wrong, what it means, and what to do.  Changes
 * nothing. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/doctor.h"
#include "admin/link.h"
#include "admin/list_source.h"
#include "admin/screen.h"
#include "admin/target.h"

#define CONF_USUAL "/etc/mcroster/agent.conf"

static const char usage[] =
    "Usage: mcadmin doctor [--conf AGENT.CONF] [--all] [--json]\n"
    "                      [--cluster NAME | --agent PATH]\n"
    "\n"
    "Looks at this host's agent, segment, keys and disk, at the other agents and at\n"
    "the cluster's memcacheds, and says of each thing that is wrong what it means and\n"
    "what to do.  Changes nothing.  Exit code 1 if there is a FAULT.\n"
    "\n"
    "      --conf AGENT.CONF     this host's (" CONF_USUAL ")\n"
    "      --all                 show every finding, not only what is wrong\n"
    "      --json                as one JSON object\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    {"conf", required_argument, NULL, 'c'},
    {"all", no_argument, NULL, 'a'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct doctor {
	const char *conf_path;
	bool all, json;
	struct target target;
	struct doctor_conf conf;
	struct checkup checkup;
};

/* The agent's status, and the list that it has; what fails is a finding. */
static void agent_look(struct doctor *doctor, struct link_peer *peer, struct list **list)
{
	struct checkup *checkup = &doctor->checkup;
	struct link *link = NULL;
	struct status *status = NULL;
	struct failure failure;
	char *body = NULL;
	size_t body_bytes;
	int error = link_new(peer, &link, &failure);

	if (error == 0)
		error = link_status_get(link, STATUS_CLUSTER, &body, &body_bytes, &failure);
	if (error == 0)
		error = status_parse(body, body_bytes, &status, &failure);
	if (error < 0)
		checkup_add(checkup, CHECK_AGENT, CHECKUP_FAULT, "", "%s", failure.text);
	else
		doctor_status(status, checkup);
	if (error == 0 && list_source_agent(link, NULL, list, &failure) < 0)
		checkup_add(checkup, CHECK_AGENT, CHECKUP_WARN, "", "%s", failure.text);
	status_free(status);
	free(body);
	link_free(link);
}

static void doctor_examine(struct doctor *doctor, struct link_peer *peer)
{
	const struct doctor_conf *conf = &doctor->conf;
	struct list *list = NULL;
	const char *segment = conf->segment[0] != '\0' ? conf->segment : peer->cluster;
	char cluster[LIST_NAME_MAX + 16];

	agent_look(doctor, peer, &list);
	if (segment[0] == '\0' && list != NULL)
		segment = list->cluster;
	(void)snprintf(cluster, sizeof(cluster), "%s", segment);
	if (cluster[0] != '\0')
		doctor_segment(cluster, &doctor->checkup);
	doctor_files(conf, list, &doctor->checkup);
	if (list != NULL) {
		doctor_peers(conf, list, &doctor->checkup);
		doctor_servers(list, &doctor->checkup);
	}
	list_free(list);
}

static int doctor_say(const struct doctor *doctor, struct failure *failure)
{
	struct page page;
	struct json json;
	int error = 0;

	if (doctor->json) {
		json_begin(&json, stdout);
		json_object_open(&json, NULL);
		checkup_json(&doctor->checkup, &json);
		json_object_close(&json);
		json_end(&json);
	} else {
		error = page_begin(&page, stdout);
		if (error == 0) {
			checkup_report(&doctor->checkup, doctor->all, page.text);
			error = page_end(&page, stdout);
		}
	}
	if (error == 0 && doctor->checkup.lost)
		error = -ENOMEM;
	return error < 0 ? failure_set(failure, -error, "no memory for the findings") : 0;
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct doctor *doctor)
{
	int option;

	while ((option = getopt_long(argc, argv, "h", option_table, NULL)) != -1) {
		if (target_option(&doctor->target, option, optarg))
			continue;
		switch (option) {
		case 'c':
			doctor->conf_path = optarg;
			break;
		case 'a':
			doctor->all = true;
			break;
		case 'j':
			doctor->json = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (optind < argc)
		return admin_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	return -1;
}

/* Neither the command line nor agent.conf names an agent, and none is here to be found. */
static bool nobody_runs(const struct doctor *doctor)
{
	char cluster[LIST_NAME_MAX + 1];

	return !target_named(&doctor->target) && target_clusters(TARGET_DIRECTORY, cluster) == 0;
}

static int run(int argc, char **argv)
{
	struct doctor doctor = {.conf_path = CONF_USUAL};
	struct link_peer peer;
	struct failure failure;
	int error, code = options_read(argc, argv, &doctor);

	if (code >= 0)
		return code;
	doctor_conf_read(doctor.conf_path, &doctor.conf, &doctor.checkup);
	if (!target_named(&doctor.target) && doctor.conf.there) {
		doctor.target.cluster = doctor.conf.cluster;
		if (doctor.conf.control[0] != '\0')
			doctor.target.agent = doctor.conf.control;
	}
	if (nobody_runs(&doctor))
		checkup_add(&doctor.checkup, CHECK_AGENT, CHECKUP_FAULT, "",
			    "none runs on this host: " TARGET_DIRECTORY " has no control socket");
	else if ((code = target_peer(argv[0], &doctor.target, NULL, &peer)) < 0)
		doctor_examine(&doctor, &peer);
	if (code < 0) {
		error = doctor_say(&doctor, &failure);
		if (error < 0)
			code = admin_fail(argv[0], error, &failure);
		else
			code = checkup_worst(&doctor.checkup) == CHECKUP_FAULT ? ADMIN_FAILED
									       : ADMIN_DONE;
	}
	checkup_clear(&doctor.checkup);
	return code;
}

const struct command command_doctor = {
    .name = "doctor",
    .run = run,
    .group = GROUP_WATCH,
    .summary = "Say what is wrong, what it means, and what to do",
    .usage = usage,
    .options = option_table,
};
