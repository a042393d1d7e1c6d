/* status.c - see status.h. */
#include "daemon/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/agent.h"
#include "daemon/clients_run.h"
#include "daemon/evidence.h"
#include "daemon/keyring.h"
#include "daemon/owed_run.h"
#include "daemon/status_clients.h"
#include "daemon/workers.h"
#include "list/order.h"

static const char *yes_no(bool value)
{
	return value ? "yes" : "no";
}

static int64_t lease_left(uint64_t lease_ms, uint64_t now_ms)
{
	return lease_ms > now_ms ? (int64_t)(lease_ms - now_ms) : -1;
}

static const char *const work_names[] = {"none", "running", "done", "refused"};

static void status_clients(FILE *out, const struct agent *agent)
{
	struct clients_status clients;

	clients_run_status(agent->clients, &clients);
	fprintf(out,
		"clients-unregistered %u\nclients-refused %" PRIu64 "\nclients-misused %" PRIu64
		"\nclients-last-refusal %s\n",
		clients.half_open, clients.totals.refused_uid + clients.totals.refused_total,
		clients.misused, clients.last_refusal);
}

static void status_host_line(FILE *out, const char *name, int64_t lease_left_ms, uint64_t term,
			     uint64_t serial, const char *release,
			     const uint32_t clients[CLIENT_STANDINGS], const struct work *work)
{
	fprintf(out,
		"host %s release=%s lease-ms-left=%" PRId64 " adopted=%" PRIu64 ".%" PRIu64
		" phase=%s work=%s found=%" PRIu64 " moved=%" PRIu64 " present=%" PRIu64
		" expired=%" PRIu64 " gone=%" PRIu64 " failed=%" PRIu64 " cold=%" PRIu64
		" left=%" PRIu64 " rate=%" PRIu64,
		name, release[0] != '\0' ? release : "-", lease_left_ms, term, serial,
		phase_name((enum phase)work->phase), work_names[work->state], work->found,
		work->moved, work->present, work->expired, work->gone, work->failed, work->cold,
		work->left, work->rate);
	for (unsigned i = 0; i < CLIENT_STANDINGS; i++)
		fprintf(out, " clients-%s=%u", client_standing_name((enum client_standing)i),
			clients[i]);
	fprintf(out, " reason=%s\n", work->reason);
}

/* What this agent does for the server in the present phase. */
static void status_server_work(FILE *out, const struct agent *agent, uint32_t server)
{
	struct mover_failures failed;
	struct work work;

	if (!workers_server(agent->workers, server, &work, &failed))
		return;
	fprintf(out,
		" phase=%s work=%s found=%" PRIu64 " moved=%" PRIu64 " present=%" PRIu64
		" expired=%" PRIu64 " gone=%" PRIu64 " failed=%" PRIu64 " failed-refused=%" PRIu64
		" failed-both-sides=%" PRIu64 " failed-too-often=%" PRIu64 " failed-late=%" PRIu64
		" failed-given-up=%" PRIu64 " cold=%" PRIu64 " left=%" PRIu64 " rate=%" PRIu64,
		phase_name((enum phase)work.phase), work_names[work.state], work.found, work.moved,
		work.present, work.expired, work.gone, work.failed, failed.refused,
		failed.both_sides, failed.too_often, failed.late, failed.given_up, work.cold,
		work.left, work.rate);
	if (work.left > 0 && work.rate > 0)
		fprintf(out, " ms-left=%" PRIu64, work.left / work.rate * 1000);
}

static void status_servers(FILE *out, const struct agent *agent)
{
	const struct change *change = agent->host_change;
	static struct owed_to to[OWED_SERVERS_MAX];

	owed_run_status_servers(agent->owed, to, change->server_count);
	for (uint32_t i = 0; i < change->server_count; i++) {
		const struct change_server *server = &change->servers[i];

		fprintf(out, "server %s %s agent=%s slots=%" PRIu64 "/%" PRIu64, server->name,
			server->address, change_server_agent(change, i), server->old_parts,
			change->new_epoch != 0 ? server->new_parts : server->old_parts);
		if (to[i].keys != 0)
			fprintf(out, " owed=%u owed-since=%" PRIu64, to[i].keys,
				to[i].oldest_since_s);
		status_server_work(out, agent, i);
		fputc('\n', out);
	}
}

static void status_hash(FILE *out, const char *name, const uint8_t hash[LIST_HASH_BYTES], bool has)
{
	char hex[2 * LIST_HASH_BYTES + 1];

	(void)sodium_bin2hex(hex, sizeof(hex), hash, LIST_HASH_BYTES);
	fprintf(out, "%s %s\n", name, has ? hex : "none");
}

static void status_set(FILE *out, const struct agent *agent, const struct reg *reg)
{
	const struct change *change = agent->host_change;

	fprintf(out, "given-up");
	for (uint32_t i = 0; host_lists_match(reg, change) && i < change->server_count; i++)
		if (register_set_has(reg->given_up, i))
			fprintf(out, " %s", change->servers[i].name);
	fprintf(out, "\nexcused");
	for (uint32_t i = 0; host_lists_match(reg, change) && i < change->agent_count; i++)
		if (register_set_has(reg->excused, i))
			fprintf(out, " %s", change->agents[i].name);
	fprintf(out, "\n");
}

static void status_evidence(FILE *out, const struct agent *agent, const char *prefix)
{
	struct evidence kept[EVIDENCE_MAX];
	const uint32_t count = evidence_read(agent->state, kept);

	fprintf(out, "%sequivocation %u\n", prefix, count);
	for (uint32_t i = 0; i < count; i++) {
		char hex[2 * LIST_HASH_BYTES + 1];

		(void)sodium_bin2hex(hex, sizeof(hex), kept[i].hash, LIST_HASH_BYTES);
		fprintf(out, "%sevidence %s %" PRIu64 " %s\n", prefix,
			evidence_kind_name(kept[i].kind), kept[i].number, hex);
	}
}

/* What is in this agent's way. */
static void status_trouble(FILE *out, const struct agent *agent, const char *prefix)
{
	const struct reg *known = &agent->host.known;
	const char *between = "";

	fprintf(out, "%strouble ", prefix);
	if (agent->store_trouble[0] != '\0') {
		fprintf(out, "%s", agent->store_trouble);
		between = "; ";
	}
	if (agent->register_trouble[0] != '\0') {
		fprintf(out, "%s%s", between, agent->register_trouble);
		between = "; ";
	}
	if (known->keys_version != 0 && keyring_find(agent->ring, known->keys) == NULL)
		fprintf(out,
			"%skeys version %" PRIu64 " is in force and its document is not here yet",
			between, known->keys_version);
	fprintf(out, "\n");
}

static void status_owed(FILE *out, const struct agent *agent, const char *prefix)
{
	struct owed_status owed;
	const char *trouble;

	owed_run_status(agent->owed, &owed, &trouble);
	fprintf(out,
		"%sowed %u\n%sowed-bytes %" PRIu64 "\n%sowed-max %u\n%sowed-refused %" PRIu64
		"\n%sowed-since %" PRIu64 "\n%sowed-trouble %s\n",
		prefix, owed.keys, prefix, owed.live_bytes, prefix, owed.limit, prefix,
		owed.counts.refused_full + owed.counts.refused_uid + owed.counts.refused_store,
		prefix, owed.oldest_since_s, prefix, trouble);
}

/* Where another agent has the servers' lines. */
static void status_asked_owes(FILE *out, const struct agent *agent)
{
	const struct change *change = agent->host_change;
	static struct owed_to to[OWED_SERVERS_MAX];

	if (change == NULL)
		return;
	owed_run_status_servers(agent->owed, to, change->server_count);
	for (uint32_t i = 0; i < change->server_count; i++)
		if (to[i].keys != 0)
			fprintf(out, "asked-owes %s owed=%u owed-since=%" PRIu64 "\n",
				change->servers[i].name, to[i].keys, to[i].oldest_since_s);
}

/* How fast its movers may go at most. */
static void status_pace(FILE *out, const struct agent *agent)
{
	const struct mover_pace *pace = workers_pace(agent->workers);

	fprintf(out, "rate-keys %" PRIu64 "\nrate-bytes %" PRIu64 "\n", pace->rate_keys,
		pace->rate_bytes);
}

static void status_self(FILE *out, const struct agent *agent, const struct reg *reg,
			uint64_t now_ms)
{
	const struct host *host = &agent->host;
	const struct list_agent *coordinator = agent_coordinator(agent);
	const bool settled = reg->term != 0 && reg->phase == PHASE_STEADY;

	fprintf(out, "agent %s\nversion %s\ncluster %s\n", agent->config->name, MCROSTER_VERSION,
		agent->config->cluster);
	fprintf(out, "epoch %" PRIu64 "\nnext-epoch %" PRIu64 "\nphase %s\nsettled %s\n",
		reg->epoch, reg->next_epoch,
		reg->term != 0 ? phase_name((enum phase)reg->phase) : "NONE", yes_no(settled));
	fprintf(out, "term %" PRIu64 "\nserial %" PRIu64 "\ncoordinator %s\n", reg->term,
		reg->serial, coordinator != NULL ? coordinator->name : "");
	fprintf(out, "generation %u\nlease-ms-left %" PRId64 "\nisolated %s\nreason %s\n",
		segment_generation(agent->segment, NULL), lease_left(host->lease_ms, now_ms),
		yes_no(host_isolated(host, now_ms)), reg->reason);
	status_trouble(out, agent, "");
	fprintf(out, "register-in %s\n", agent->coord.shared ? "etcd" : "file");
	status_hash(out, "active", reg->active, reg->term != 0);
	status_hash(out, "pending", reg->pending, reg->next_epoch != 0);
	fprintf(out, "keys-version %" PRIu64 "\n", reg->keys_version);
	status_hash(out, "keys-hash", reg->keys, reg->keys_version != 0);
	status_owed(out, agent, "");
	status_pace(out, agent);
	fprintf(out, "aborting %s\n", yes_no(reg->aborting));
	status_evidence(out, agent, "");
	status_set(out, agent, reg);
	if (agent->failover != NULL)
		fprintf(out, "failover %" PRIu64 " %s\n", agent->failover->binding.term,
			agent->failover->targets[0].name);
}

static void status_change(FILE *out, const struct agent *agent, uint64_t now_ms)
{
	const struct coord *coord = &agent->coord;
	const struct reg *reg = &coord->reg;
	const uint64_t end_ms = reg->next_epoch != 0 ? now_ms : coord->change_ended_ms;
	struct work sum;
	char waits[REGISTER_REASON_BYTES];

	coord_moved(coord, &sum);
	coord_waits_for(coord, now_ms, waits, sizeof(waits));
	fprintf(out, "waits-for %s\n", waits);
	fprintf(out, "change-epoch %" PRIu64 "\n",
		reg->next_epoch != 0 ? reg->next_epoch : reg->highest_epoch);
	fprintf(out, "change-slots %" PRIu64 "\nchange-slots-moved %" PRIu64 "\n",
		agent->last_slots, agent->last_slots_moved);
	fprintf(out,
		"change-keys-found %" PRIu64 "\nchange-keys-moved %" PRIu64
		"\nchange-keys-present %" PRIu64 "\nchange-keys-expired %" PRIu64
		"\nchange-keys-gone %" PRIu64 "\nchange-keys-failed %" PRIu64
		"\nchange-keys-cold %" PRIu64 "\nchange-keys-left %" PRIu64 "\nchange-rate %" PRIu64
		"\n",
		sum.found, sum.moved, sum.present, sum.expired, sum.gone, sum.failed, sum.cold,
		sum.left, sum.rate);
	fprintf(out, "change-ms %" PRIu64 "\n",
		end_ms > coord->change_began_ms ? end_ms - coord->change_began_ms : 0);
}

int status_text(const struct agent *agent, bool cluster, bool clients, char **text, size_t *bytes)
{
	const uint64_t now_ms = clock_now_ms();
	const struct coord *coord = &agent->coord;
	const bool leads = cluster && coord->state != COORD_IDLE &&
			   (coord->reg.term != 0 || coord->state != COORD_HALTED);
	FILE *out = open_memstream(text, bytes);

	if (out == NULL)
		return -ENOMEM;
	/* The coordinator speaks for the cluster by its register, any other agent by its segment.
	 */
	status_self(out, agent, leads ? &coord->reg : &agent->host.published, now_ms);
	fprintf(out, "view %s\n", leads ? "cluster" : "local");
	if (leads)
		status_change(out, agent, now_ms);
	if (agent->host_change != NULL)
		status_servers(out, agent);
	status_clients(out, agent);
	if (clients)
		status_clients_lines(out, agent->clients, now_ms);
	if (!leads) {
		uint32_t count[CLIENT_STANDINGS];

		clients_run_count(agent->clients, count);
		status_host_line(out, agent->config->name, lease_left(agent->host.lease_ms, now_ms),
				 agent->host.adopted.term, agent->host.adopted.serial,
				 MCROSTER_VERSION, count, &agent->host.work);
	}
	for (uint32_t i = 0; leads && i < coord->host_count; i++)
		status_host_line(out, coord->host[i].listed ? coord->host[i].name : "-",
				 lease_left(coord->host[i].lease_ms, now_ms), coord->host[i].term,
				 coord->host[i].serial, coord->host[i].release,
				 coord->host[i].clients, &coord->host[i].work);
	if (fclose(out) != 0) {
		free(*text);
		return -ENOMEM;
	}
	return 0;
}

int status_asked(const struct agent *agent, const void *said, size_t said_bytes, char **text,
		 size_t *bytes)
{
	static const char view[] = "\nview cluster\n";
	const struct host *host = &agent->host;
	FILE *out;

	if (memmem(said, said_bytes, view, sizeof(view) - 1) == NULL)
		return -EBADMSG;
	out = open_memstream(text, bytes);
	if (out == NULL)
		return -ENOMEM;
	(void)fwrite(said, 1, said_bytes, out);
	fprintf(out, "asked %s\nasked-isolated %s\n", agent->config->name,
		yes_no(host_isolated(host, clock_now_ms())));
	status_trouble(out, agent, "asked-");
	status_evidence(out, agent, "asked-");
	status_owed(out, agent, "asked-");
	status_asked_owes(out, agent);
	if (fclose(out) != 0) {
		free(*text);
		return -ENOMEM;
	}
	return 0;
}
