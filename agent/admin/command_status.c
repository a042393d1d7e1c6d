/* command_status.c - mcadmin status: one screen that says what the cluster is doing. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/admin.h"
#include "admin/bars.h"
#include "admin/human.h"
#include "admin/json.h"
#include "admin/link.h"
#include "admin/status.h"
#include "admin/table.h"
#include "admin/target.h"
#include "admin/watch.h"

static const char usage[] =
    "Usage: mcadmin status [--cluster NAME | --agent ...] [--json | --raw]\n"
    "\n"
    "Shows what the cluster is doing: the coordinator's view where the agent can\n"
    "reach it, otherwise the agent's own.\n"
    "\n"
    "      --json                as one JSON object\n"
    "      --raw                 the lines \"name value\" as the agent gave them\n" TARGET_USAGE
    "  -h, --help                this text\n";

static const struct option option_table[] = {
    {"json", no_argument, NULL, 'j'},
    {"raw", no_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

enum form { FORM_TEXT, FORM_JSON, FORM_RAW };

static uint64_t age_ms(uint64_t since_s, time_t now)
{
	return (uint64_t)now > since_s ? ((uint64_t)now - since_s) * 1000 : 0;
}

static bool said(const char *names)
{
	return names != NULL && names[0] != '\0';
}

/* What operators have ordered, and whom the cluster believes. */
static void orders_print(const struct status *status)
{
	if (status->aborting)
		(void)printf("aborting      the change is being undone by a signed order\n");
	if (said(status->given_up))
		(void)printf("given up      %s\n", status->given_up);
	if (said(status->excused))
		(void)printf("excused       %s\n", status->excused);
	if (status->failover_agent[0] != '\0')
		(void)printf("failover      to %s, ordered for term %" PRIu64 "\n",
			     status->failover_agent, status->failover_term);
	if (status->keys_version != 0)
		(void)printf("trust         keys document version %" PRIu64 "\n",
			     status->keys_version);
}

/* Two documents where there may be one: some key has signed both. */
static void evidence_print(const struct status *status, bool asked)
{
	const uint64_t count = asked ? status->asked_equivocation : status->equivocation;

	if (count == 0)
		return;
	(void)printf("EQUIVOCATION  %" PRIu64
		     " signed document%s contradicting an accepted one, refused and\n"
		     "              kept by agent %s; 'mcadmin show --hash HASH' there says who "
		     "signed:\n",
		     count, PLURAL(count), asked ? status->asked : status->agent);
	for (uint32_t i = 0; i < status->evidence_count; i++) {
		const struct status_evidence *evidence = &status->evidence[i];
		char hash[2 * LIST_HASH_BYTES + 1];

		if (evidence->asked != asked)
			continue;
		human_hex(evidence->hash.bytes, LIST_HASH_BYTES, hash);
		(void)printf("  %s %" PRIu64 "  %s\n",
			     strcmp(evidence->kind, "keys") == 0 ? "keys version" : "epoch",
			     evidence->number, hash);
	}
}

/* The agent that was asked may have trouble of its own, which the coordinator does not know. */
static void asked_print(const struct status *status)
{
	if (status->asked[0] == '\0')
		return;
	if (status->asked_isolated)
		(void)printf("ISOLATED      agent %s has no lease: what it serves may be old\n",
			     status->asked);
	if (status->asked_trouble[0] != '\0')
		(void)printf("TROUBLE       agent %s: %s\n", status->asked, status->asked_trouble);
	evidence_print(status, true);
}

/* Invalidations of clients on the agent's host that have not been carried out yet. */
static void owed_agent_print(const struct status *status, bool asked)
{
	const struct status_owed *owed = asked ? &status->asked_owed : &status->owed;
	const time_t now = time(NULL);
	char age[HUMAN_NUMBER_BYTES];

	if (owed->keys != 0)
		(void)printf("owes          agent %s %" PRIu64 " invalidation%s of %" PRIu64
			     " at most, %" PRIu64 " bytes, the oldest for %s\n",
			     asked ? status->asked : status->agent, owed->keys, PLURAL(owed->keys),
			     owed->max, owed->bytes, human_duration(age_ms(owed->since, now), age));
	for (uint32_t i = 0; i < status->server_count; i++) {
		const struct status_server *server = &status->servers[i];
		const uint64_t keys = asked ? server->asked_owed : server->owed;
		const uint64_t since = asked ? server->asked_owed_since : server->owed_since;

		if (keys != 0)
			(void)printf("              %" PRIu64 " to %s, the oldest for %s\n", keys,
				     server->name, human_duration(age_ms(since, now), age));
	}
	if (owed->refused != 0)
		(void)printf("REFUSED       %" PRIu64
			     " invalidation%s by agent %s: those clients' operations failed\n",
			     owed->refused, PLURAL(owed->refused),
			     asked ? status->asked : status->agent);
	if (owed->trouble[0] != '\0')
		(void)printf("TROUBLE       %s\n", owed->trouble);
}

static void owed_print(const struct status *status)
{
	owed_agent_print(status, false);
	if (status->asked[0] != '\0')
		owed_agent_print(status, true);
}

static void head_print(const struct status *status)
{
	char lease[HUMAN_NUMBER_BYTES];

	(void)printf("cluster       %s, ", status->cluster);
	if (status->next_epoch != 0)
		(void)printf("epoch %" PRIu64 " -> %" PRIu64 ", %s\n", status->epoch,
			     status->next_epoch, status->phase);
	else
		(void)printf("epoch %" PRIu64 ", %s\n", status->epoch,
			     status->settled ? "settled" : status->phase);
	(void)printf("agent         %s, version %s, generation %" PRIu64 "\n", status->agent,
		     status->version, status->generation);
	(void)printf("register      term %" PRIu64 ", serial %" PRIu64 ", coordinator %s\n",
		     status->term, status->serial,
		     status->coordinator[0] == '\0' ? "not known" : status->coordinator);
	if (status->lease_left_ms >= 0)
		(void)printf("lease         %s left\n",
			     human_duration((uint64_t)status->lease_left_ms, lease));
	else
		(void)printf("lease         none\n");
	if (status->isolated)
		(void)printf("ISOLATED      agent %s has no lease: what it serves may be old\n",
			     status->agent);
	if (!status->cluster_view)
		(void)printf("view          this agent's own; the coordinator was not reached\n");
}

static void change_print(const struct status *status)
{
	char text[128], percent[HUMAN_NUMBER_BYTES];

	(void)human_percent(status->change_slots_moved, status->change_slots, percent);
	if (status->change_epoch != 0)
		(void)printf("%s  to epoch %" PRIu64,
			     status->next_epoch != 0 ? "change      " : "last change ",
			     status->change_epoch);
	/* The first list moves nothing. */
	if (status->change_epoch != 0 && human_in_slots(status->change_slots))
		(void)printf(", %" PRIu64 " of %" PRIu64 " slots: %s", status->change_slots_moved,
			     status->change_slots, percent);
	else if (status->change_epoch != 0 && status->change_slots != 0)
		(void)printf(", %s of the keys", percent);
	if (status->change_epoch != 0)
		(void)putchar('\n');
	if (status->keys_found != 0)
		(void)printf("keys          %s; %" PRIu64 " failed\n",
			     watch_keys(status, text, sizeof(text)), status->keys_failed);
	if (status->waits_for[0] != '\0')
		(void)printf("waits for     %s\n", status->waits_for);
	if (status->reason[0] != '\0')
		(void)printf("undone        %s\n", status->reason);
	if (status->trouble[0] != '\0')
		(void)printf("TROUBLE       agent %s: %s\n", status->agent, status->trouble);
}

/* Nothing where nobody is registered. */
static void clients_print(const struct status_host *host)
{
	if (host->clients_adopted + host->clients_idle + host->clients_silent +
		host->clients_refused + host->clients_gone ==
	    0)
		return;
	(void)printf("  %s: clients: %" PRIu64 " adopted, %" PRIu64 " idle, %" PRIu64
		     " silent, %" PRIu64 " refused, %" PRIu64 " gone\n",
		     host->name, host->clients_adopted, host->clients_idle, host->clients_silent,
		     host->clients_refused, host->clients_gone);
}

static int hosts_print(const struct status *status)
{
	static const char *const headings[] = {"host",	 ">lease", ">adopted", "phase", "work",
					       ">moved", ">left",  ">failed",  ">rate"};
	struct table *table = table_new(headings, 9);
	char lease[HUMAN_NUMBER_BYTES];
	int error;

	if (table == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < status->host_count; i++) {
		const struct status_host *host = &status->hosts[i];

		table_cell(table, "%s", host->name);
		table_cell(table, "%s",
			   host->lease_left_ms < 0
			       ? "none"
			       : human_duration((uint64_t)host->lease_left_ms, lease));
		table_cell(table, "%" PRIu64 ".%" PRIu64, host->term, host->serial);
		table_cell(table, "%s", host->phase);
		table_cell(table, "%s", host->work);
		table_cell(table, "%" PRIu64, host->moved);
		table_cell(table, "%" PRIu64, host->left);
		table_cell(table, "%" PRIu64, host->failed);
		table_cell(table, "%" PRIu64, host->rate);
	}
	if (status->host_count > 0)
		(void)putchar('\n');
	error = table_print(table, "  ", stdout);
	table_free(table);
	for (uint32_t i = 0; error == 0 && i < status->host_count; i++)
		clients_print(&status->hosts[i]);
	for (uint32_t i = 0; error == 0 && i < status->host_count; i++)
		if (status->hosts[i].reason[0] != '\0')
			(void)printf("  %s: %s\n", status->hosts[i].name, status->hosts[i].reason);
	return error;
}

/* A number of slots; the share where the cluster has none. */
static void parts_cell(struct table *table, uint64_t parts, uint64_t all)
{
	char percent[HUMAN_NUMBER_BYTES];

	if (human_in_slots(all))
		table_cell(table, "%" PRIu64, parts);
	else
		table_cell(table, "%s", human_percent(parts, all, percent));
}

static int servers_print(const struct status *status)
{
	static const char *const slots[] = {"server", "address", "agent", ">slots", ">after"};
	static const char *const keys[] = {"server", "address", "agent", ">share", ">after"};
	struct table *table;
	uint64_t all = 0;
	int error;

	for (uint32_t i = 0; i < status->server_count; i++)
		all += status->servers[i].old_slots;
	table = table_new(human_in_slots(all) ? slots : keys, status->next_epoch != 0 ? 5 : 4);

	if (table == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < status->server_count; i++) {
		const struct status_server *server = &status->servers[i];

		table_cell(table, "%s", server->name);
		table_cell(table, "%s", server->address);
		table_cell(table, "%s", server->agent);
		parts_cell(table, server->old_slots, all);
		if (status->next_epoch != 0)
			parts_cell(table, server->new_slots, all);
	}
	if (status->server_count > 0)
		(void)putchar('\n');
	error = table_print(table, "  ", stdout);
	table_free(table);
	return error;
}

static void failures_print(const struct status_server *server)
{
	if (server->cold != 0)
		(void)printf("  %s: no room at the new owner: %" PRIu64 " cold keys left\n",
			     server->name, server->cold);
	if (server->failed == 0)
		return;
	(void)printf("  %s lost as misses: %" PRIu64 " refused by their new owner, %" PRIu64
		     " on both sides with the mark unknown, %" PRIu64
		     " never through in time, %" PRIu64
		     " written too late by clients unaware of phases, %" PRIu64
		     " with their new owner given up\n",
		     server->name, server->failed_refused, server->failed_both_sides,
		     server->failed_too_often, server->failed_late, server->failed_given_up);
}

/* How far the asked agent is with each server it works on. */
static int works_print(const struct status *status)
{
	static const char *const headings[] = {"server", "phase", "work",  "progress",
					       ">left",	 ">rate", ">to go"};
	struct table *table = table_new(headings, 7);
	char cells[BAR_CELLS_MAX + 1], duration[HUMAN_NUMBER_BYTES];
	bool any = false;
	int error;

	if (table == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < status->server_count; i++) {
		const struct status_server *server = &status->servers[i];

		const struct bar bar = {server->name,  strcmp(server->work, "done") == 0,
					server->found, server->left,
					server->moved, server->rate};

		if (server->work[0] == '\0')
			continue;
		any = true;
		table_cell(table, "%s", server->name);
		table_cell(table, "%s", server->phase);
		table_cell(table, "%s", server->work);
		table_cell(table, "%s", bar_cells(&bar, BAR_CELLS_MAX, cells));
		table_cell(table, "%" PRIu64, server->left);
		table_cell(table, "%" PRIu64, server->rate);
		table_cell(table, "%s",
			   server->ms_left == 0 ? "-" : human_duration(server->ms_left, duration));
	}
	if (any)
		(void)putchar('\n');
	error = any ? table_print(table, "  ", stdout) : 0;
	table_free(table);
	return error;
}

/* What became of the keys found there. */
static int outcomes_print(const struct status *status)
{
	static const char *const headings[] = {"server",   ">found", ">moved",	">there",
					       ">expired", ">gone",  ">failed", ">cold"};
	struct table *table = table_new(headings, 8);
	bool any = false;
	int error;

	if (table == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < status->server_count; i++) {
		const struct status_server *server = &status->servers[i];

		if (server->work[0] == '\0')
			continue;
		any = true;
		table_cell(table, "%s", server->name);
		table_cell(table, "%" PRIu64, server->found);
		table_cell(table, "%" PRIu64, server->moved);
		table_cell(table, "%" PRIu64, server->present);
		table_cell(table, "%" PRIu64, server->expired);
		table_cell(table, "%" PRIu64, server->gone);
		table_cell(table, "%" PRIu64, server->failed);
		table_cell(table, "%" PRIu64, server->cold);
	}
	if (any)
		(void)putchar('\n');
	error = any ? table_print(table, "  ", stdout) : 0;
	table_free(table);
	for (uint32_t i = 0; error == 0 && i < status->server_count; i++)
		failures_print(&status->servers[i]);
	return error;
}

static int status_print(const struct status *status, bool as_json, struct failure *failure)
{
	struct json json;
	int error;

	if (as_json) {
		json_begin(&json, stdout);
		json_object_open(&json, NULL);
		status_json(status, &json);
		json_object_close(&json);
		json_end(&json);
		return 0;
	}
	head_print(status);
	change_print(status);
	orders_print(status);
	owed_print(status);
	evidence_print(status, false);
	asked_print(status);
	error = hosts_print(status);
	if (error == 0)
		error = servers_print(status);
	if (error == 0)
		error = works_print(status);
	if (error == 0)
		error = outcomes_print(status);
	return error < 0 ? failure_set(failure, -error, "no memory to print the status") : 0;
}

/* Line by line, so that nothing but text reaches the terminal. */
static void raw_print(char *body)
{
	char *line;

	while ((line = strsep(&body, "\n")) != NULL)
		if (*line != '\0')
			(void)puts(human_clean(line));
}

static int status_run(struct link_peer *peer, enum form form, struct failure *failure)
{
	struct link *link = NULL;
	struct status *status = NULL;
	char *body = NULL;
	size_t body_bytes;
	int error = link_new(peer, &link, failure);

	if (error == 0)
		error = link_status_get(link, STATUS_CLUSTER, &body, &body_bytes, failure);
	if (error == 0)
		error = status_parse(body, body_bytes, &status, failure);
	if (error == 0 && form == FORM_RAW)
		raw_print(body);
	else if (error == 0)
		error = status_print(status, form == FORM_JSON, failure);
	status_free(status);
	free(body);
	link_free(link);
	return error;
}

static int run(int argc, char **argv)
{
	struct target target = {0};
	struct link_peer peer;
	struct failure failure;
	enum form form = FORM_TEXT;
	int option, error, code;

	while ((option = getopt_long(argc, argv, "h", option_table, NULL)) != -1) {
		if (target_option(&target, option, optarg))
			continue;
		switch (option) {
		case 'j':
			form = FORM_JSON;
			break;
		case 'r':
			form = FORM_RAW;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (optind < argc)
		return admin_usage(argv[0], "'%s' is one argument too many", argv[optind]);
	code = target_peer(argv[0], &target, NULL, &peer);
	if (code >= 0)
		return code;
	error = status_run(&peer, form, &failure);
	return error < 0 ? admin_fail(argv[0], error, &failure) : ADMIN_DONE;
}

const struct command command_status = {
    .name = "status",
    .run = run,
    .group = GROUP_WATCH,
    .summary = "Show what the cluster is doing",
    .usage = usage,
    .options = option_table,
};
