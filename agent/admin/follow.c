/* follow.c - see follow.h. */
#include "admin/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/human.h"
#include "admin/list_source.h"
#include "admin/watch.h"

#define TIMEOUT_MAX_S	  1000000u
#define FOLLOW_POLL_MS	  200u
#define FOLLOW_SILENCE_MS 60000u /* an agent that says nothing for so long is not waited for */
#define FOLLOW_VIEW_POLLS                                                                          \
	10u /* how often a settled agent is asked for the coordinator's figures                    \
	     */

/* ---- the command line ---- */

int follow_option(const char *command, struct follow_ask *ask, int option, const char *argument)
{
	uint64_t seconds;

	switch (option) {
	case FOLLOW_TIMEOUT:
		if (!human_number(argument, 1, TIMEOUT_MAX_S, &seconds))
			return admin_usage(command, "--timeout '%s': 1 to %u seconds", argument,
					   TIMEOUT_MAX_S);
		ask->timeout_ms = seconds * 1000;
		return -1;
	case FOLLOW_NO_WAIT:
		ask->no_wait = true;
		return -1;
	case FOLLOW_JSON:
		ask->json = true;
		return -1;
	default:
		return -2;
	}
}

/* What is followed: a list or an abort. */
struct subject {
	struct watch watch;
	const struct list *list;
	const struct order *abort;
};

/* Asks for the status; 0 with follow->status new, or the error. */
static int status_fetch(struct follow *follow, struct failure *failure)
{
	struct status *status;
	char *body;
	size_t body_bytes;
	int error = link_status_get(follow->link, STATUS_CLUSTER, &body, &body_bytes, failure);

	if (error < 0)
		return error;
	error = status_parse(body, body_bytes, &status, failure);
	free(body);
	if (error < 0)
		return error;
	status_free(follow->status);
	follow->status = status;
	return 0;
}

/* ---- a list ---- */

/* A later list is active.  If its parent is ours, ours had settled before. */
static void overtaken_judge(struct follow *follow, const struct list *list, struct outcome *outcome)
{
	struct list *active;
	struct failure failure;

	if (list_source_agent(follow->link, NULL, &active, &failure) < 0) {
		outcome_set(outcome, "failed", ADMIN_FAILED, "%s", failure.text);
		return;
	}
	if (active->has_parent && memcmp(active->parent, list->hash, LIST_HASH_BYTES) == 0)
		outcome_set(outcome, "settled", ADMIN_DONE,
			    "Settled on epoch %" PRIu64 "; epoch %" PRIu64 " has followed since.",
			    list->epoch, active->epoch);
	else
		outcome_set(outcome, "failed", ADMIN_FAILED,
			    "epoch %" PRIu64 " is active now, and whether epoch %" PRIu64
			    " was in between cannot be told",
			    active->epoch, list->epoch);
	list_free(active);
}

static void settled_say(const struct follow *follow, const struct list *list,
			struct outcome *outcome)
{
	const struct status *status = follow->status;
	char percent[HUMAN_NUMBER_BYTES], time[HUMAN_NUMBER_BYTES];

	(void)human_duration(elapsed_ms(follow->elapsed), time);
	if (status->change_epoch != list->epoch) {
		outcome_set(outcome, "settled", ADMIN_DONE, "Settled on epoch %" PRIu64 " in %s.",
			    list->epoch, time);
		return;
	}
	outcome_set(outcome, "settled", ADMIN_DONE,
		    "Settled on epoch %" PRIu64 " in %s: %s of the %s, %" PRIu64
		    " keys moved, %" PRIu64 " failed.",
		    list->epoch, time,
		    human_percent(status->change_slots_moved, status->change_slots, percent),
		    human_in_slots(status->change_slots) ? "slots" : "keys", status->keys_moved,
		    status->keys_failed);
}

/* Only the coordinator knows the whole cluster's figures; it may be out of reach just now. */
static void figures_fetch(struct follow *follow)
{
	struct failure ignored;

	for (unsigned i = 0; i < FOLLOW_VIEW_POLLS && !follow->status->cluster_view; i++)
		if (link_pause(follow->link, FOLLOW_POLL_MS, &ignored) < 0 ||
		    status_fetch(follow, &ignored) < 0)
			return;
}

static const char *undone_reason(const struct status *status)
{
	return status->reason[0] != '\0' ? status->reason : "the agent gives no reason";
}

/* Returns false while there is more to wait for. */
static bool list_judge(struct follow *follow, struct subject *subject, struct outcome *outcome)
{
	const struct list *list = subject->list;

	switch (watch_judge(&subject->watch, follow->status)) {
	case WATCH_RUNNING:
		return false;
	case WATCH_SETTLED:
		figures_fetch(follow);
		settled_say(follow, list, outcome);
		return true;
	case WATCH_UNDONE:
		outcome_set(outcome, "undone", ADMIN_REFUSED,
			    "the change to epoch %" PRIu64 " was undone: %s", list->epoch,
			    undone_reason(follow->status));
		return true;
	case WATCH_OVERTAKEN:
		overtaken_judge(follow, list, outcome);
		return true;
	}
	return true;
}

/* ---- an abort ---- */

static bool abort_judge(struct follow *follow, struct subject *subject, struct outcome *outcome)
{
	const struct status *status = follow->status;
	char time[HUMAN_NUMBER_BYTES];

	switch (watch_abort_judge(&subject->abort->binding, status)) {
	case WATCH_RUNNING:
		return false;
	case WATCH_UNDONE:
		outcome_set(outcome, "undone", ADMIN_DONE,
			    "Undone in %s: settled on epoch %" PRIu64 " again.",
			    human_duration(elapsed_ms(follow->elapsed), time), status->epoch);
		return true;
	case WATCH_SETTLED:
		outcome_set(outcome, "failed", ADMIN_FAILED,
			    "the change was not undone: its list, epoch %" PRIu64 ", is active",
			    status->epoch);
		return true;
	case WATCH_OVERTAKEN:
		outcome_set(outcome, "failed", ADMIN_FAILED,
			    "epoch %" PRIu64
			    " is active now, and whether the change before it was undone cannot "
			    "be told",
			    status->epoch);
		return true;
	}
	return true;
}

/* ---- the waiting ---- */

static bool judge(struct follow *follow, struct subject *subject, struct outcome *outcome)
{
	return subject->list != NULL ? list_judge(follow, subject, outcome)
				     : abort_judge(follow, subject, outcome);
}

static void follow_run(struct follow *follow, struct subject *subject, struct outcome *outcome)
{
	struct watch_progress progress;
	const char *what = subject->list != NULL ? "the change" : "the undoing";
	const char *agent = link_peer_options(follow->link);
	uint64_t answered_ms = elapsed_ms(follow->elapsed);
	bool over = false;

	watch_progress_begin(&progress, stdout);
	while (!over) {
		struct failure failure;
		int error = status_fetch(follow, &failure);

		if (error == 0) {
			answered_ms = elapsed_ms(follow->elapsed);
			over = judge(follow, subject, outcome);
			if (over)
				break;
			watch_progress_show(&progress, follow->status, answered_ms);
		} else if (error != -EINTR) {
			watch_progress_note(&progress, failure.text, elapsed_ms(follow->elapsed));
		}
		if (error != -EINTR)
			error = link_pause(follow->link, FOLLOW_POLL_MS, &failure);
		over = true;
		if (error == -EINTR)
			outcome_leave(outcome, "interrupted", ADMIN_INTERRUPTED, "interrupted",
				      what, agent);
		else if (elapsed_over(follow->elapsed))
			outcome_leave(outcome, "timeout", ADMIN_TIMED_OUT, "not settled in time",
				      what, agent);
		else if (elapsed_ms(follow->elapsed) - answered_ms >= FOLLOW_SILENCE_MS)
			outcome_leave(outcome, "failed", ADMIN_FAILED,
				      "the agent has said nothing for a minute", what, agent);
		else
			over = false;
	}
	watch_progress_end(&progress);
}

void follow_list(struct follow *follow, const struct list *list, struct outcome *outcome)
{
	struct subject subject = {.watch = {.epoch = list->epoch}, .list = list};

	follow_run(follow, &subject, outcome);
}

void follow_abort(struct follow *follow, const struct order *order, struct outcome *outcome)
{
	struct subject subject = {.abort = order};

	follow_run(follow, &subject, outcome);
}
