/* metrics_page.c - see metrics_page.h: the agent's register, lease, clients, debts and sessions. */
#include "daemon/metrics_page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/agent.h"
#include "daemon/clients_run.h"
#include "daemon/evidence.h"
#include "daemon/owed_run.h"
#include "daemon/peers.h"
#include "daemon/workers.h"

#define PREFIX "mcroster_"

void metric_family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

void metric_gauge(FILE *out, const char *name, const char *help, uint64_t value)
{
	metric_family(out, name, "gauge", help);
	fprintf(out, PREFIX "%s %" PRIu64 "\n", name, value);
}

void metric_counter(FILE *out, const char *name, const char *help, uint64_t value)
{
	metric_family(out, name, "counter", help);
	fprintf(out, PREFIX "%s %" PRIu64 "\n", name, value);
}

void metric_by(FILE *out, const char *name, const char *label, const char *of, uint64_t value)
{
	fprintf(out, PREFIX "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, of, value);
}

static void seconds_write(FILE *out, uint64_t value_ms)
{
	fprintf(out, " %" PRIu64 ".%03u\n", value_ms / 1000, (unsigned)(value_ms % 1000));
}

void metric_seconds_by(FILE *out, const char *name, const char *label, const char *of,
		       uint64_t value_ms)
{
	fprintf(out, PREFIX "%s{%s=\"%s\"}", name, label, of);
	seconds_write(out, value_ms);
}

void metric_seconds(FILE *out, const char *name, uint64_t value_ms)
{
	fprintf(out, PREFIX "%s", name);
	seconds_write(out, value_ms);
}

/* ---- who it is, and where its cluster stands ---- */

static void page_identity(FILE *out, const struct agent *agent)
{
	metric_family(out, "build_info", "gauge", "The agent's version; always 1.");
	metric_by(out, "build_info", "version", MCROSTER_VERSION, 1);
	metric_family(out, "agent_info", "gauge",
		      "The agent's cluster and its name in the list; always 1.");
	fprintf(out, PREFIX "agent_info{cluster=\"%s\",agent=\"%s\"} 1\n", agent->config->cluster,
		agent->config->name);
	metric_gauge(out, "start_time_seconds", "When the agent started, in Unix time.",
		     agent->started_s);
}

static void page_register(FILE *out, const struct agent *agent)
{
	const struct reg *reg = &agent->host.published;
	struct evidence kept[EVIDENCE_MAX];

	metric_gauge(out, "epoch", "Epoch of the list that this host has published; 0 is none.",
		     reg->epoch);
	metric_gauge(out, "next_epoch", "Epoch that the change under way leads to; 0 is no change.",
		     reg->next_epoch);
	metric_family(out, "phase", "gauge",
		      "1 for the phase that this host has published; NONE before the first list.");
	metric_by(out, "phase", "phase", "NONE", reg->term == 0);
	for (unsigned i = 0; i < PHASE_COUNT; i++)
		metric_by(out, "phase", "phase", phase_name((enum phase)i),
			  reg->term != 0 && reg->phase == i);
	metric_gauge(out, "settled", "1: no change is under way.",
		     reg->term != 0 && reg->phase == PHASE_STEADY);
	metric_gauge(out, "aborting", "1: the change under way is being undone.", reg->aborting);
	metric_gauge(out, "term", "Term of the register that this host has published.", reg->term);
	metric_gauge(out, "serial", "Serial of that register within its term.", reg->serial);
	metric_gauge(out, "generation",
		     "Generation of the segment that clients of this host map.  Their lookups are "
		     "not counted: counting would cost more than a lookup does.",
		     segment_generation(agent->segment, NULL));
	metric_gauge(out, "keys_version",
		     "Version of the keys document in force; 0 is the trusted keys of agent.conf.",
		     reg->keys_version);
	metric_gauge(out, "equivocation_documents",
		     "Documents kept as evidence that contradict an accepted one.",
		     evidence_read(agent->state, kept));
	metric_gauge(out, "trouble",
		     "1: the agent cannot store its state or its register; status says why.",
		     agent->store_trouble[0] != '\0' || agent->register_trouble[0] != '\0');
}

static void page_lease(FILE *out, const struct agent *agent, uint64_t now_ms)
{
	const struct host *host = &agent->host;

	metric_family(out, "lease_age_seconds", "gauge",
		      "How long ago the renewal was sent that was granted last; missing without a "
		      "grant since the agent started.");
	if (host->granted_ms != 0)
		metric_seconds(out, "lease_age_seconds", now_ms - host->granted_ms);
	metric_family(out, "lease_left_seconds", "gauge",
		      "For how long this host still holds its lease.");
	metric_seconds(out, "lease_left_seconds",
		       host->lease_ms > now_ms ? host->lease_ms - now_ms : 0);
	metric_gauge(out, "isolated", "1: this host holds no lease.", host_isolated(host, now_ms));
	metric_gauge(out, "coordinates", "1: this agent coordinates the cluster.",
		     agent->coord.state == COORD_LEADING);
	metric_gauge(out, "coordinator_connected",
		     "1: this agent coordinates, or has a session to the agent that does.",
		     host->connected);
}

/* ---- clients and what they owe ---- */

static void page_clients(FILE *out, const struct agent *agent)
{
	struct clients_status clients;

	clients_run_status(agent->clients, &clients);
	metric_family(out, "clients", "gauge",
		      "Registered clients of this host by how they stand with its generation.");
	for (unsigned i = 0; i < CLIENT_STANDINGS; i++)
		metric_by(out, "clients", "state", client_standing_name((enum client_standing)i),
			  clients.count[i]);
	metric_gauge(out, "clients_unregistered", "Connected and not registered yet.",
		     clients.half_open);
	metric_counter(out, "clients_registered_total", "Clients that have registered.",
		       clients.totals.registered);
	metric_family(out, "clients_refused_total", "counter",
		      "Clients that were not registered: one of their user too many, or one of "
		      "all.");
	metric_by(out, "clients_refused_total", "reason", "user", clients.totals.refused_uid);
	metric_by(out, "clients_refused_total", "reason", "total", clients.totals.refused_total);
	metric_counter(out, "clients_misused_total",
		       "Clients' connections that were ended for what they sent.", clients.misused);
}

static void page_owed(FILE *out, const struct agent *agent)
{
	const uint64_t now_s = (uint64_t)time(NULL);
	struct owed_status owed;
	const char *trouble;

	owed_run_status(agent->owed, &owed, &trouble);
	metric_gauge(out, "owed_keys", "Invalidations that clients handed over, not done yet.",
		     owed.keys);
	metric_gauge(out, "owed_max_keys", "As many as there may be; more are refused.",
		     owed.limit);
	metric_gauge(out, "owed_bytes", "Bytes of their records on disk.", owed.live_bytes);
	metric_gauge(out, "owed_oldest_age_seconds", "Age of the oldest of them; 0 without any.",
		     owed.oldest_since_s != 0 && now_s > owed.oldest_since_s
			 ? now_s - owed.oldest_since_s
			 : 0);
	metric_gauge(out, "owed_trouble", "1: no more of them can be stored; status says why.",
		     trouble[0] != '\0');
	metric_counter(out, "owed_accepted_total", "Keys that were taken over.",
		       owed.counts.accepted);
	metric_counter(out, "owed_completed_total", "Keys of which a delete went through in time.",
		       owed.counts.completed);
	metric_counter(out, "owed_failed_total",
		       "Deletes that a server refused or did not answer; they are tried again.",
		       owed.counts.failed);
	metric_family(out, "owed_refused_total", "counter",
		      "Keys that were not taken over: the operation of the client has failed.");
	metric_by(out, "owed_refused_total", "reason", "full", owed.counts.refused_full);
	metric_by(out, "owed_refused_total", "reason", "user", owed.counts.refused_uid);
	metric_by(out, "owed_refused_total", "reason", "store", owed.counts.refused_store);
	metric_by(out, "owed_refused_total", "reason", "key", owed.counts.refused_key);
	metric_by(out, "owed_refused_total", "reason", "not-ready", owed.counts.refused_not_ready);
}

/* ---- the peer protocol ---- */

/* One listener's counts, as a column of each family. */
struct door {
	const char *name;
	const struct session_counts *counts;
};

static void page_handshakes(FILE *out, const struct agent *agent)
{
	static const char *const reasons[] = {"mac", "handshake", "rate", "half-open", "time-out"};
	const struct door doors[] = {{"peers", peers_counts(agent->peers, false)},
				     {"control", peers_counts(agent->peers, true)}};

	metric_gauge(out, "sessions", "Sessions with other agents and with mcadmin.",
		     peers_sessions(agent->peers));
	metric_family(out, "handshakes_begun_total", "counter",
		      "Connections to the peer address and to the control socket.");
	for (unsigned i = 0; i < 2; i++)
		metric_by(out, "handshakes_begun_total", "socket", doors[i].name,
			  doors[i].counts->accepted);
	metric_family(out, "handshakes_completed_total", "counter",
		      "Of those, the ones that became a session.");
	for (unsigned i = 0; i < 2; i++)
		metric_by(out, "handshakes_completed_total", "socket", doors[i].name,
			  doors[i].counts->completed);
	metric_family(
	    out, "handshakes_refused_total", "counter",
	    "Of those, the ones that were turned away: another pre-shared key or host key "
	    "(mac), a handshake that failed later, too many a second from one address, "
	    "too many under way, not done within 3 s.");
	for (unsigned i = 0; i < 2; i++) {
		const struct session_counts *counts = doors[i].counts;
		const uint64_t refused[] = {counts->refused_mac, counts->refused_handshake,
					    counts->refused_rate, counts->refused_half_open,
					    counts->timed_out};

		for (unsigned reason = 0; reason < 5; reason++)
			fprintf(out,
				PREFIX "handshakes_refused_total{socket=\"%s\",reason=\"%s\"} "
				       "%" PRIu64 "\n",
				doors[i].name, reasons[reason], refused[reason]);
	}
}

static void page_offers(FILE *out, const struct agent *agent)
{
	static const char *const verdicts[VERDICT_COUNT] = {
	    [VERDICT_ACCEPTED] = "accepted", [VERDICT_REFUSED] = "refused", [VERDICT_BUSY] = "busy",
	    [VERDICT_FAILED] = "failed",     [VERDICT_LATER] = "later",
	};

	metric_family(out, "offers_total", "counter",
		      "Lists, keys and orders that were offered to this agent and judged here.");
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		metric_by(out, "offers_total", "verdict", verdicts[i], agent->offers[i]);
}

int metrics_page_make(void *context, char **text, size_t *bytes)
{
	const struct agent *agent = context;
	const uint64_t now_ms = clock_now_ms();
	FILE *out = open_memstream(text, bytes);

	if (out == NULL)
		return -ENOMEM;
	page_identity(out, agent);
	page_register(out, agent);
	page_lease(out, agent, now_ms);
	page_clients(out, agent);
	page_owed(out, agent);
	page_handshakes(out, agent);
	page_offers(out, agent);
	metrics_work(out, agent);
	if (fclose(out) != 0) {
		free(*text);
		return -ENOMEM;
	}
	return 0;
}
