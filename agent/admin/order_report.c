/* order_report.c - see order_report.h.  Reads, writes text; decides nothing. */
#include "admin/order_report.h"

#include <inttypes.h>
#include <string.h>

#include "admin/human.h"

static void head_print(const struct order_scene *scene, FILE *out)
{
	const struct status *status = scene->status;

	(void)fprintf(out, "cluster       %s, epoch %" PRIu64, scene->active->cluster,
		      scene->active->epoch);
	if (scene->pending != NULL)
		(void)fprintf(out, " -> %" PRIu64 ", %s", scene->pending->epoch,
			      phase_name(scene->binding.phase));
	else
		(void)fprintf(out, ", settled");
	(void)fprintf(out,
		      "\nregister      term %" PRIu64 ", serial %" PRIu64 ", as %s %s says it\n",
		      scene->binding.term, scene->binding.serial,
		      status->cluster_view ? "the coordinator" : "agent",
		      status->cluster_view ? status->coordinator : status->agent);
	if (status->waits_for[0] != '\0')
		(void)fprintf(out, "waits for     %s\n", status->waits_for);
}

/* ---- abort ---- */

static void abort_report(const struct order_scene *scene, FILE *out)
{
	(void)fprintf(out,
		      "\nabort of the change to epoch %" PRIu64 "\n"
		      "  Nothing is lost: every key has stayed at its owner of epoch %" PRIu64 ",\n"
		      "  and the cluster settles on that list again.\n",
		      scene->pending->epoch, scene->active->epoch);
	if (scene->binding.phase == PHASE_COPY)
		(void)fprintf(out,
			      "  What was copied so far (%" PRIu64
			      " keys) is dropped from the new owners\n  before that.\n",
			      scene->status->keys_moved);
	(void)fprintf(out, "  Epoch %" PRIu64 " is spent: the next list needs a greater number.\n",
		      scene->pending->epoch);
}

/* ---- giveup ---- */

static void slots_print(uint64_t parts, uint64_t all, FILE *out)
{
	char text[HUMAN_PARTS_BYTES];

	(void)fputs(human_parts(parts, all, text), out);
}

static void source_report(const struct order_scene *scene, const struct change_server *server,
			  FILE *out)
{
	(void)fprintf(out, "  loses   ");
	slots_print(server->lost, scene->change->parts, out);
	switch (scene->binding.phase) {
	case PHASE_PREPARE:
		(void)fprintf(
		    out,
		    ":\n          none of their keys is copied yet, all of them become misses\n");
		break;
	case PHASE_COPY:
		(void)fprintf(
		    out,
		    ":\n          those of their keys that are not copied yet become misses\n");
		break;
	default:
		(void)fprintf(
		    out,
		    ":\n          those of their keys that COPY did not bring to their new owners\n"
		    "          become misses\n");
		break;
	}
}

static void gainer_report(const struct order_scene *scene, const struct change_server *server,
			  FILE *out)
{
	(void)fprintf(out, "  gains   ");
	slots_print(server->gained, scene->change->parts, out);
	(void)fprintf(
	    out, ":\n          their keys have no other place to go: all of them become misses,\n"
		 "          and are deleted where they are now\n");
}

/* What its agent has counted; it may work for other servers too. */
static void counts_report(const struct order_scene *scene, const char *agent, FILE *out)
{
	const struct status_host *host = status_host_find(scene->status, agent);

	if (host == NULL || host->found == 0)
		(void)fprintf(out, "  keys    its agent %s has reported no number\n", agent);
	else
		(void)fprintf(out,
			      "  keys    its agent %s has found %" PRIu64 " in %s, %" PRIu64
			      " are left to deal with\n",
			      agent, host->found, host->phase, host->left);
}

static void waived_report(const struct order_scene *scene, FILE *out)
{
	(void)fprintf(
	    out,
	    "  No key is lost by it: in %s only the removal of what belongs elsewhere is\n"
	    "  left to do there, and that is not waited for any more.\n",
	    phase_name(scene->binding.phase));
}

static void kept_report(const struct order_scene *scene, const struct change_server *server,
			FILE *out)
{
	const uint64_t kept = server->old_parts - server->lost;

	if (!server->in_new || kept == 0)
		return;
	(void)fprintf(out, "  keeps   ");
	slots_print(kept, scene->change->parts, out);
	(void)fprintf(
	    out, ":\n          their keys go on being asked of it, and are misses while it is\n"
		 "          down; a next list without it moves them\n");
}

static void giveup_report(const struct order_scene *scene, const struct list_identity *target,
			  FILE *out)
{
	const int number = change_server_find(scene->change, target->name, target->address);
	const struct change_server *server;
	const enum phase phase = scene->binding.phase;

	if (number < 0)
		return;
	server = &scene->change->servers[number];
	(void)fprintf(out, "\ngiveup of server %s at %s\n", target->name, target->address);
	if (phase == PHASE_AFTER || phase == PHASE_PURGE || phase == PHASE_UNWIND ||
	    phase == PHASE_BACK || phase == PHASE_CLEAN) {
		waived_report(scene, out);
	} else {
		if (server->lost > 0)
			source_report(scene, server, out);
		if (server->gained > 0)
			gainer_report(scene, server, out);
		counts_report(scene, change_server_agent(scene->change, (uint32_t)number), out);
	}
	kept_report(scene, server, out);
}

static void giveup_end(FILE *out)
{
	(void)fprintf(out, "\nNothing stale is read from it, whatever it still holds.  A giveup "
			   "cannot be\ntaken back within this change.\n");
}

/* ---- excuse ---- */

static bool works_for(const struct order_scene *scene, uint32_t number, const char *agent)
{
	const struct change_server *server = &scene->change->servers[number];

	return (server->gained > 0 || server->lost > 0) &&
	       strcmp(change_server_agent(scene->change, number), agent) == 0 &&
	       !status_names(scene->status->given_up, server->name);
}

static void excuse_report(const struct order_scene *scene, const char *agent, FILE *out)
{
	(void)fprintf(out,
		      "\nexcuse of agent %s\n"
		      "  The change goes on without its word.  If it is down, its clients must be\n"
		      "  too; a host that still runs serves the list it has until its lease is\n"
		      "  over, and is waited for so long.%s\n",
		      agent,
		      scene->active->isolation == LIST_ISOLATION_SERVE
			  ? "  After that, under isolation serve, clients\n"
			    "  there may read stale values."
			  : "");
	for (uint32_t i = 0; i < scene->change->server_count; i++)
		if (works_for(scene, i, agent))
			(void)fprintf(
			    out,
			    "  STILL WAITED FOR: its work for server %s.  Name another agent for\n"
			    "  that server first, or give it up; an excuse waives no work.\n",
			    scene->change->servers[i].name);
}

/* ---- failover ---- */

static void failover_report(const struct order_scene *scene, const struct order *order, FILE *out)
{
	const struct status *status = scene->status;
	const char *agent = order->targets[0].name;
	const char *old =
	    status->coordinator[0] == '\0' ? "the old coordinator" : status->coordinator;
	/* A new coordinator waits a tenth longer than a lease, for clocks that drift. */
	const uint64_t wait_ms = (uint64_t)scene->change->steady_lease_ms * 11 / 10;
	char time[HUMAN_NUMBER_BYTES];

	(void)fprintf(out,
		      "\nfailover to agent %s at %s, from term %" PRIu64 " on\n"
		      "  %s MUST BE OFF and must not come back as coordinator: by this order you\n"
		      "  give your word for that.  Two that grant leases can make reads stale.\n",
		      agent, order->targets[0].address, order->binding.term, old);
	if (status->failover_agent[0] != '\0' && status->failover_term > status->term &&
	    strcmp(status->failover_agent, agent) != 0)
		(void)fprintf(out,
			      "  So MUST %s BE, which an order before makes coordinator from term "
			      "%" PRIu64 " on.\n",
			      status->failover_agent, status->failover_term);
	(void)fprintf(out,
		      "  With the file `register` of the state directory of %s, put into that of\n"
		      "  %s before this order is given, it goes on exactly where it was.\n",
		      old, agent);
	(void)fprintf(
	    out,
	    "  Without the old register %s grants nothing for %s, until every\n"
	    "  earlier lease has run out, hears a majority of the agents, and goes on from\n"
	    "  the newest register that they know.  Hosts lose their leases meanwhile:\n"
	    "  isolation %s.\n",
	    agent, human_duration(wait_ms, time),
	    scene->active->isolation == LIST_ISOLATION_SERVE
		? "serve, they go on with the list they have"
		: "bypass, their clients get no plans");
	(void)fprintf(out,
		      "  What %s had decided and told no agent is not known any more: a list,\n"
		      "  an order or a keys document that it accepted last may have to be offered\n"
		      "  again, and a list's epoch be raised if it is refused.\n",
		      old);
}

/* ---- all ---- */

void order_report(const struct order_scene *scene, const struct order *order, FILE *out)
{
	head_print(scene, out);
	switch (order->kind) {
	case ORDER_ABORT:
		abort_report(scene, out);
		break;
	case ORDER_GIVEUP:
		for (uint32_t i = 0; i < order->target_count; i++)
			giveup_report(scene, &order->targets[i], out);
		giveup_end(out);
		break;
	case ORDER_EXCUSE:
		for (uint32_t i = 0; i < order->target_count; i++)
			excuse_report(scene, order->targets[i].name, out);
		break;
	case ORDER_FAILOVER:
		failover_report(scene, order, out);
		break;
	case ORDER_KIND_COUNT:
		break;
	}
	if (order->kind != ORDER_FAILOVER)
		(void)fprintf(out,
			      "\nThe order is for term %" PRIu64 ", serial %" PRIu64
			      " alone: once the change goes on, it is void.\n",
			      order->binding.term, order->binding.serial);
}
