/* proposal_report.c - a proposal for people and for programs. */
#include <errno.h>
#include <inttypes.h>

#include "admin/balance_report.h"
#include "admin/change_report.h"
#include "admin/forecast_report.h"
#include "admin/human.h"
#include "admin/list_report.h"
#include "admin/proposal.h"
#include "admin/screen.h"

static void giveups_print(const struct change *change, const struct list *next, FILE *out)
{
	char percent[HUMAN_NUMBER_BYTES];

	for (uint32_t i = 0; i < next->giveup_count; i++) {
		const struct list_identity *gone = &next->giveups[i];
		const int at = change_server_find(change, gone->name, gone->address);
		uint64_t lost;

		if (at < 0)
			continue;
		lost = change->servers[at].lost;
		(void)fprintf(out, "giveup        %s: ", gone->name);
		if (change->in_slots)
			(void)fprintf(out, "the keys of its %" PRIu64 " slots", lost);
		else
			(void)fprintf(out, "its keys");
		(void)fprintf(out, " (%s) become misses\n",
			      human_percent(lost, change->parts, percent));
	}
}

static void moves_print(const struct change *change, FILE *out)
{
	char percent[HUMAN_NUMBER_BYTES];

	(void)human_percent(change->moved, change->parts, percent);
	if (change->in_slots)
		(void)fprintf(out, "\nmoves         %" PRIu64 " of %" PRIu64 " slots: %s\n",
			      change->moved, change->parts, percent);
	else
		(void)fprintf(out, "\nmoves         %s of the keys\n", percent);
}

static int change_say(const struct proposal *proposal, FILE *out, struct failure *failure)
{
	const struct change *change = proposal->change;
	const struct list *parent = proposal->parent, *next = proposal->next;
	int error = 0;

	(void)fprintf(out, "Cluster %s: epoch %" PRIu64 " -> %" PRIu64 "\n\n", next->cluster,
		      parent->epoch, next->epoch);
	if (change_report_moves(change, out) < 0)
		error = failure_set(failure, ENOMEM, "no memory to print the plan");
	moves_print(change, out);
	if (error == 0)
		error = balance_report(parent, next, change, out, failure);
	giveups_print(change, next, out);
	change_report_policy(parent, next, out);
	if (error == 0 && proposal->forecast != NULL &&
	    forecast_report(proposal->forecast, change, out) < 0)
		error = failure_set(failure, ENOMEM, "no memory to print the plan");
	return error;
}

/* A first list over servers that are in use: whose mapping their keys follow is not known here. */
static void held_print(const struct first_held *held, FILE *out)
{
	if (held->keys > 0)
		(void)fprintf(
		    out,
		    "\nHELD          %" PRIu64 " keys are on %" PRIu32
		    " of these servers, and stay where they are.  Clients\n"
		    "              that used another mapping than this one find few of them.\n"
		    "              A cluster that had a list before (its key is lost, or its\n"
		    "              agents' state) goes on with that list, not with a new one:\n"
		    "              docs/runbook.md, \"I lost the operator's key\".\n",
		    held->keys, held->holding);
	if (held->not_asked > 0)
		(void)fprintf(out,
			      "\nnot asked     %" PRIu32
			      " server%s did not answer; 'mcadmin doctor' says why\n",
			      held->not_asked, PLURAL(held->not_asked));
}

static int first_say(const struct proposal *proposal, FILE *out, struct failure *failure)
{
	const struct list *list = proposal->next;
	char distribution[DISTRIBUTION_TEXT_BYTES];

	if (list->distribution == DISTRIBUTION_SLOTS)
		(void)snprintf(distribution, sizeof(distribution), "%" PRIu32 " slots",
			       list->slot_count);
	else
		list_report_distribution(list, distribution);
	(void)fprintf(out,
		      "First list of the cluster %s: epoch %" PRIu64 ", %s.  It describes the\n"
		      "servers as they run: taking it up touches no server and no item.\n\n",
		      list->cluster, list->epoch, distribution);
	if (list_report_servers(list, out) < 0)
		return failure_set(failure, ENOMEM, "no memory to print the list");
	if (proposal->first_asked)
		held_print(&proposal->held, out);
	return 0;
}

static int text_say(const struct proposal *proposal, const char *conf, FILE *out,
		    struct failure *failure)
{
	if (proposal->parent == NULL)
		return first_say(proposal, out, failure);
	if (!proposal->same)
		return change_say(proposal, out, failure);
	(void)fprintf(out, "Nothing changes: epoch %" PRIu64 " says what %s wants already.\n",
		      proposal->parent->epoch, conf);
	return 0;
}

int proposal_say(const struct proposal *proposal, const char *conf, FILE *out,
		 struct failure *failure)
{
	struct page page;
	int error, shown;

	if (page_begin(&page, out) < 0)
		return failure_set(failure, ENOMEM, "no memory to print the plan");
	error = text_say(proposal, conf, page.text, failure);
	shown = page_end(&page, out);
	if (error == 0 && shown < 0)
		error = failure_set(failure, ENOMEM, "no memory to print the plan");
	return error;
}

static int change_json(const struct proposal *proposal, struct json *json)
{
	const struct change *change = proposal->change;
	const struct list *parent = proposal->parent, *next = proposal->next;

	json_decimal(json, "percent_moved", 100.0 * (double)change->moved / (double)change->parts);
	if (change->in_slots) {
		json_unsigned(json, "slots", change->parts);
		json_unsigned(json, "slots_moved", change->moved);
	}
	json_thousandths(json, "balance_before", balance_max_over_mean(parent, change, false));
	json_thousandths(json, "balance_after", balance_max_over_mean(next, change, true));
	if (proposal->forecast != NULL)
		forecast_json(proposal->forecast, change, json);
	return change_report_moves_json(change, json);
}

int proposal_json(const struct proposal *proposal, struct json *json)
{
	const struct list *parent = proposal->parent;

	json_string(json, "cluster", proposal->next->cluster);
	json_unsigned(json, "parent_epoch", parent != NULL ? parent->epoch : 0);
	json_unsigned(json, "epoch", proposal->next->epoch);
	json_bool(json, "changes", !proposal->same);
	if (proposal->first_asked) {
		json_unsigned(json, "keys_held", proposal->held.keys);
		json_unsigned(json, "not_asked", proposal->held.not_asked);
	}
	return proposal->change != NULL ? change_json(proposal, json) : 0;
}
