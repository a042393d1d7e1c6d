/* doctor_status.c - see doctor.h: what the agent says. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "admin/doctor.h"
#include "admin/human.h"

/* A key may be owed for a moment wherever a connection broke. */
#define OWED_LATE_S 60u

static void trouble_check(const char *agent, const char *trouble, struct checkup *checkup)
{
	if (trouble[0] != '\0')
		checkup_add(checkup, CHECK_TROUBLE, CHECKUP_FAULT, agent, "%s", trouble);
}

static void lease_check(const struct status *status, struct checkup *checkup)
{
	char lease[HUMAN_NUMBER_BYTES];

	for (uint32_t i = 0; i < status->host_count; i++) {
		const struct status_host *host = &status->hosts[i];

		if (strcmp(host->name, "-") == 0)
			continue;
		if (host->lease_left_ms < 0)
			checkup_add(checkup, CHECK_LEASE, CHECKUP_FAULT, host->name,
				    "it has no lease");
		else
			checkup_add(checkup, CHECK_LEASE, CHECKUP_OK, host->name, "%s left",
				    human_duration((uint64_t)host->lease_left_ms, lease));
	}
	if (status->isolated || status->asked_isolated)
		checkup_add(checkup, CHECK_LEASE, CHECKUP_FAULT,
			    status->isolated ? status->agent : status->asked,
			    "isolated: what it serves may be old");
	if (!status->cluster_view)
		checkup_add(checkup, CHECK_LEASE, CHECKUP_WARN, status->agent,
			    "the coordinator %s was not reached, so this is the agent's own view",
			    status->coordinator[0] != '\0' ? status->coordinator : "(not known)");
}

static void clients_check(const struct status *status, struct checkup *checkup)
{
	for (uint32_t i = 0; i < status->host_count; i++) {
		const struct status_host *host = &status->hosts[i];
		const uint64_t all = host->clients_adopted + host->clients_idle +
				     host->clients_silent + host->clients_refused;

		if (host->clients_refused > 0)
			checkup_add(checkup, CHECK_CLIENTS, CHECKUP_FAULT, host->name,
				    "%" PRIu64 " of %" PRIu64 " refuse", host->clients_refused,
				    all);
		else if (host->clients_silent > 0 && status->next_epoch == 0)
			checkup_add(checkup, CHECK_CLIENTS, CHECKUP_WARN, host->name,
				    "%" PRIu64 " of %" PRIu64 " are silent", host->clients_silent,
				    all);
		else
			checkup_add(checkup, CHECK_CLIENTS, CHECKUP_OK, host->name,
				    "%" PRIu64 " registered", all);
	}
}

static void owed_check(const char *agent, const struct status_owed *owed, struct checkup *checkup)
{
	const uint64_t now = (uint64_t)time(NULL);
	const uint64_t age_s = now > owed->since ? now - owed->since : 0;
	char age[HUMAN_NUMBER_BYTES];

	trouble_check(agent, owed->trouble, checkup);
	if (owed->keys > 0 && age_s >= OWED_LATE_S)
		checkup_add(checkup, CHECK_OWED, CHECKUP_WARN, agent,
			    "%" PRIu64 " key%s, the oldest for %s", owed->keys, PLURAL(owed->keys),
			    human_duration(age_s * 1000, age));
	else
		checkup_add(checkup, CHECK_OWED, CHECKUP_OK, agent, "%" PRIu64 " key%s", owed->keys,
			    PLURAL(owed->keys));
	if (owed->refused > 0)
		checkup_add(checkup, CHECK_OWED, CHECKUP_WARN, agent,
			    "%" PRIu64 " were refused since it started: those operations failed",
			    owed->refused);
}

void doctor_status(const struct status *status, struct checkup *checkup)
{
	const uint64_t evidence = status->equivocation + status->asked_equivocation;

	checkup_add(checkup, CHECK_AGENT, CHECKUP_OK,
		    status->asked[0] != '\0' ? status->asked : status->agent,
		    "answers; the cluster %s is at epoch %" PRIu64 ", %s", status->cluster,
		    status->epoch, status->settled ? "settled" : status->phase);
	lease_check(status, checkup);
	trouble_check(status->agent, status->trouble, checkup);
	trouble_check(status->asked, status->asked_trouble, checkup);
	if (status->trouble[0] == '\0' && status->asked_trouble[0] == '\0' &&
	    status->owed.trouble[0] == '\0' && status->asked_owed.trouble[0] == '\0')
		checkup_add(checkup, CHECK_TROUBLE, CHECKUP_OK, status->agent, "none");
	if (evidence > 0)
		checkup_add(checkup, CHECK_EVIDENCE, CHECKUP_FAULT, "",
			    "%" PRIu64 " contradicting document%s kept", evidence,
			    PLURAL(evidence));
	else
		checkup_add(checkup, CHECK_EVIDENCE, CHECKUP_OK, "", "no contradicting documents");
	clients_check(status, checkup);
	owed_check(status->agent, &status->owed, checkup);
	if (status->asked[0] != '\0')
		owed_check(status->asked, &status->asked_owed, checkup);
}
