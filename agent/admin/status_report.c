/* status_report.c - see status_report.h.  Everything a person is told is asked of the status alone.
 */
#include "admin/status_report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "admin/bars.h"
#include "admin/human.h"
#include "admin/screen.h"
#include "admin/table.h"
#include "admin/watch.h"

static uint64_t age_ms(uint64_t since_s, time_t now)
{
	return (uint64_t)now > since_s ? ((uint64_t)now - since_s) * 1000 : 0;
}

static bool said(const char *names)
{
	return names != NULL && names[0] != '\0';
}

/* What operators have ordered, and whom the cluster believes. */
static void orders_print(const struct status *status, FILE *out)
{
	if (status->aborting)
		(void)fprintf(out, "aborting      the change is being undone by a signed order\n");
	if (said(status->given_up))
		(void)fprintf(out, "given up      %s\n", status->given_up);
	if (said(status->excused))
		(void)fprintf(out, "excused       %s\n", status->excused);
	if (status->failover_agent[0] != '\0')
		(void)fprintf(out, "failover      to %s, ordered for term %" PRIu64 "\n",
			      status->failover_agent, status->failover_term);
	if (status->keys_version != 0)
		(void)fprintf(out, "trust         keys document version %" PRIu64 "\n",
			      status->keys_version);
}

/* Two documents where there may be one: some key has signed both. */
static void evidence_print(const struct status *status, bool asked, FILE *out)
{
	const uint64_t count = asked ? status->asked_equivocation : status->equivocation;

	if (count == 0)
		return;
	(void)fprintf(out,
		      "EQUIVOCATION  %" PRIu64
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
		(void)fprintf(out, "  %s %" PRIu64 "  %s\n",
			      strcmp(evidence->kind, "keys") == 0 ? "keys version" : "epoch",
			      evidence->number, hash);
	}
}

static void isolated_print(const char *agent, FILE *out)
{
	(void)fprintf(out,
		      "ISOLATED      agent %s has no lease: what it serves may be old\n"
		      "              (for some seconds after its start: it waits for its first)\n",
		      agent);
}

/* The agent that was asked may have trouble of its own, which the coordinator does not know. */
static void asked_print(const struct status *status, FILE *out)
{
	if (status->asked[0] == '\0')
		return;
	if (status->asked_isolated)
		isolated_print(status->asked, out);
	if (status->asked_trouble[0] != '\0')
		(void)fprintf(out, "TROUBLE       agent %s: %s\n", status->asked,
			      status->asked_trouble);
	evidence_print(status, true, out);
}

/* Invalidations of clients on the agent's host that have not been carried out yet. */
static void owed_agent_print(const struct status *status, bool asked, FILE *out)
{
	const struct status_owed *owed = asked ? &status->asked_owed : &status->owed;
	const time_t now = time(NULL);
	char age[HUMAN_NUMBER_BYTES];

	if (owed->keys != 0)
		(void)fprintf(out,
			      "owes          agent %s %" PRIu64 " invalidation%s of %" PRIu64
			      " at most, %" PRIu64 " bytes, the oldest for %s\n",
			      asked ? status->asked : status->agent, owed->keys, PLURAL(owed->keys),
			      owed->max, owed->bytes,
			      human_duration(age_ms(owed->since, now), age));
	for (uint32_t i = 0; i < status->server_count; i++) {
		const struct status_server *server = &status->servers[i];
		const uint64_t keys = asked ? server->asked_owed : server->owed;
		const uint64_t since = asked ? server->asked_owed_since : server->owed_since;

		if (keys != 0)
			(void)fprintf(out, "              %" PRIu64 " to %s, the oldest for %s\n",
				      keys, server->name, human_duration(age_ms(since, now), age));
	}
	if (owed->refused != 0)
		(void)fprintf(out,
			      "REFUSED       %" PRIu64
			      " invalidation%s by agent %s: those clients' operations failed\n",
			      owed->refused, PLURAL(owed->refused),
			      asked ? status->asked : status->agent);
	if (owed->trouble[0] != '\0')
		(void)fprintf(out, "TROUBLE       %s\n", owed->trouble);
}

static void owed_print(const struct status *status, FILE *out)
{
	owed_agent_print(status, false, out);
	if (status->asked[0] != '\0')
		owed_agent_print(status, true, out);
}

static void head_print(const struct status *status, FILE *out)
{
	char lease[HUMAN_NUMBER_BYTES];

	(void)fprintf(out, "cluster       %s, ", status->cluster);
	if (status->next_epoch != 0)
		(void)fprintf(out, "epoch %" PRIu64 " -> %" PRIu64 ", %s\n", status->epoch,
			      status->next_epoch, status->phase);
	else
		(void)fprintf(out, "epoch %" PRIu64 ", %s\n", status->epoch,
			      status->settled ? "settled" : status->phase);
	(void)fprintf(out, "agent         %s, version %s, generation %" PRIu64 "\n", status->agent,
		      status->version, status->generation);
	(void)fprintf(out, "register      term %" PRIu64 ", serial %" PRIu64 ", coordinator %s\n",
		      status->term, status->serial,
		      status->coordinator[0] == '\0' ? "not known" : status->coordinator);
	if (status->lease_left_ms >= 0)
		(void)fprintf(out, "lease         %s left\n",
			      human_duration((uint64_t)status->lease_left_ms, lease));
	else
		(void)fprintf(out, "lease         none\n");
	if (status->isolated)
		isolated_print(status->agent, out);
	if (!status->cluster_view)
		(void)fprintf(out,
			      "view          this agent's own; the coordinator was not reached\n");
}

static void change_print(const struct status *status, FILE *out)
{
	char text[128], percent[HUMAN_NUMBER_BYTES];

	(void)human_percent(status->change_slots_moved, status->change_slots, percent);
	if (status->change_epoch != 0)
		(void)fprintf(out, "%s  to epoch %" PRIu64,
			      status->next_epoch != 0 ? "change      " : "last change ",
			      status->change_epoch);
	/* The first list moves nothing. */
	if (status->change_epoch != 0 && status->change_slots != 0 &&
	    human_in_slots(status->change_slots))
		(void)fprintf(out, ", %" PRIu64 " of %" PRIu64 " slots: %s",
			      status->change_slots_moved, status->change_slots, percent);
	else if (status->change_epoch != 0 && status->change_slots != 0)
		(void)fprintf(out, ", %s of the keys", percent);
	if (status->change_epoch != 0)
		(void)fputc('\n', out);
	if (status->keys_found != 0)
		(void)fprintf(out, "keys          %s; %" PRIu64 " failed\n",
			      watch_keys(status, text, sizeof(text)), status->keys_failed);
	if (status->waits_for[0] != '\0')
		(void)fprintf(out, "waits for     %s\n", status->waits_for);
	if (status->reason[0] != '\0')
		(void)fprintf(out, "undone        %s\n", status->reason);
	if (status->trouble[0] != '\0')
		(void)fprintf(out, "TROUBLE       agent %s: %s\n", status->agent, status->trouble);
}

/* Whether anybody is registered anywhere. */
static bool clients_any(const struct status *status)
{
	for (uint32_t i = 0; i < status->host_count; i++) {
		const struct status_host *host = &status->hosts[i];

		if (host->clients_adopted + host->clients_idle + host->clients_silent +
			host->clients_refused + host->clients_gone >
		    0)
			return true;
	}
	return false;
}

/* Columns of clients only where there are some. */
static int hosts_print(const struct status *status, FILE *out)
{
	static const char *const headings[] = {"host",	 ">lease", ">adopted", "phase",	   "work",
					       ">using", ">idle",  ">silent",  ">refused", ">gone"};
	const bool clients = clients_any(status);
	struct table *table = table_new(headings, clients ? 10 : 5);
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
		if (!clients)
			continue;
		table_cell(table, "%" PRIu64, host->clients_adopted);
		table_cell(table, "%" PRIu64, host->clients_idle);
		table_cell(table, "%" PRIu64, host->clients_silent);
		table_cell(table, "%" PRIu64, host->clients_refused);
		table_cell(table, "%" PRIu64, host->clients_gone);
	}
	if (status->host_count > 0)
		(void)fputc('\n', out);
	error = table_print(table, "  ", out);
	table_free(table);
	for (uint32_t i = 0; error == 0 && i < status->host_count; i++)
		if (status->hosts[i].reason[0] != '\0')
			(void)fprintf(out, "  %s: %s\n", status->hosts[i].name,
				      status->hosts[i].reason);
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

static int servers_print(const struct status *status, FILE *out)
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
		(void)fputc('\n', out);
	error = table_print(table, "  ", out);
	table_free(table);
	return error;
}

/* The movers, a bar each; 'mcadmin top' has their figures. */
static void movers_print(const struct status *status, FILE *out)
{
	const unsigned columns = screen_columns(out);
	struct bar bars[BARS_MAX];
	uint32_t count = bars_find(status, bars);
	char line[BAR_LINE_BYTES];

	if (count > 0)
		(void)fputc('\n', out);
	for (uint32_t i = 0; i < count; i++) {
		bar_line(&bars[i], columns > 0 ? columns : 80, bars_name_columns(bars, count),
			 line);
		(void)fprintf(out, "%s\n", line);
	}
}

int status_report(const struct status *status, FILE *out)
{
	int error;

	head_print(status, out);
	change_print(status, out);
	orders_print(status, out);
	owed_print(status, out);
	evidence_print(status, false, out);
	asked_print(status, out);
	error = hosts_print(status, out);
	if (error == 0)
		error = servers_print(status, out);
	if (error == 0)
		movers_print(status, out);
	return error;
}
