/* command_push.c - mcadmin push: offers a signed list to an agent and waits for what becomes of it.
 *
 * Once the list is accepted the change belongs to the cluster: whatever happens to this program, it
 * goes on, and that is what is said whenever the waiting ends early.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/admin.h"
#include "admin/human.h"
#include "admin/json.h"
#include "admin/link.h"
#include "admin/list_source.h"
#include "admin/status.h"
#include "admin/target.h"
#include "admin/watch.h"

#define PUSH_POLL_MS	200u
#define PUSH_SILENCE_MS 60000u /* an agent that says nothing for so long is not waited for */
#define PUSH_VIEW_POLLS 10u /* how often a settled agent is asked for the coordinator's figures */

static const char usage[] =
    "Usage: mcadmin push LIST [--agent ...] [--timeout SECONDS] [--no-wait] [--json]\n"
    "\n"
    "Offers a signed list to an agent and, when it is accepted, waits until the\n"
    "cluster has settled on it.  Whether it waits or not, the change runs by itself.\n"
    "\n"
    "      --timeout SECONDS     stop waiting then (exit 4)\n"
    "      --no-wait             do not wait at all\n"
    "      --json                the last line on standard output is a JSON object\n" TARGET_USAGE
    "  -h, --help                this text\n";

struct push {
	const char *command;
	const char *path;
	bool json, no_wait;
	uint64_t timeout_ms; /* 0: none */
	struct target target;

	struct link *link;
	struct list *list;
	uint64_t begun_ms;
	struct status *status; /* the last one; NULL before the first */
};

/* How it ended. */
struct outcome {
	const char *result; /* for --json */
	int code;
	char words[FAILURE_BYTES + MESSAGE_TEXT_BYTES];
};

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

__attribute__((format(printf, 4, 5))) static void
outcome_set(struct outcome *outcome, const char *result, int code, const char *format, ...)
{
	va_list arguments;

	outcome->result = result;
	outcome->code = code;
	va_start(arguments, format);
	(void)vsnprintf(outcome->words, sizeof(outcome->words), format, arguments);
	va_end(arguments);
}

/* Leaves off waiting for a change that goes on. */
static void outcome_leave(struct outcome *outcome, const char *result, int code, const char *why)
{
	outcome_set(outcome, result, code,
		    "%s; the change goes on by itself, 'mcadmin status' with the same --agent or "
		    "--cluster shows it",
		    why);
}

/* Asks for the status; 0 with push->status new, or the error. */
static int status_fetch(struct push *push, struct failure *failure)
{
	struct status *status;
	char *body;
	size_t body_bytes;
	int error = link_status_get(push->link, STATUS_CLUSTER, &body, &body_bytes, failure);

	if (error < 0)
		return error;
	error = status_parse(body, body_bytes, &status, failure);
	free(body);
	if (error < 0)
		return error;
	status_free(push->status);
	push->status = status;
	return 0;
}

/* A later list is active.  If its parent is ours, ours had settled before. */
static void overtaken_judge(struct push *push, struct outcome *outcome)
{
	struct list *active;
	struct failure failure;

	if (list_source_agent(push->link, NULL, &active, &failure) < 0) {
		outcome_set(outcome, "failed", ADMIN_FAILED, "%s", failure.text);
		return;
	}
	if (active->has_parent && memcmp(active->parent, push->list->hash, LIST_HASH_BYTES) == 0)
		outcome_set(outcome, "settled", ADMIN_DONE,
			    "Settled on epoch %" PRIu64 "; epoch %" PRIu64 " has followed since.",
			    push->list->epoch, active->epoch);
	else
		outcome_set(outcome, "failed", ADMIN_FAILED,
			    "epoch %" PRIu64 " is active now, and whether epoch %" PRIu64
			    " was in between cannot be told",
			    active->epoch, push->list->epoch);
	list_free(active);
}

static void settled_say(const struct push *push, struct outcome *outcome)
{
	const struct status *status = push->status;
	char percent[HUMAN_NUMBER_BYTES], time[HUMAN_NUMBER_BYTES];

	(void)human_duration(now_ms() - push->begun_ms, time);
	if (status->change_epoch != push->list->epoch) {
		outcome_set(outcome, "settled", ADMIN_DONE, "Settled on epoch %" PRIu64 " in %s.",
			    push->list->epoch, time);
		return;
	}
	outcome_set(outcome, "settled", ADMIN_DONE,
		    "Settled on epoch %" PRIu64 " in %s: %s of the slots, %" PRIu64
		    " keys moved, %" PRIu64 " failed.",
		    push->list->epoch, time,
		    human_percent(status->change_slots_moved, status->change_slots, percent),
		    status->keys_moved, status->keys_failed);
}

/* Only the coordinator knows the whole cluster's figures; it may be out of reach just now. */
static void figures_fetch(struct push *push)
{
	struct failure ignored;

	for (unsigned i = 0; i < PUSH_VIEW_POLLS && !push->status->cluster_view; i++)
		if (link_pause(push->link, PUSH_POLL_MS, &ignored) < 0 ||
		    status_fetch(push, &ignored) < 0)
			return;
}

/* Returns false while there is more to wait for. */
static bool state_judge(struct push *push, enum watch_state state, struct outcome *outcome)
{
	switch (state) {
	case WATCH_RUNNING:
		return false;
	case WATCH_SETTLED:
		figures_fetch(push);
		settled_say(push, outcome);
		return true;
	case WATCH_UNDONE:
		outcome_set(outcome, "undone", ADMIN_REFUSED,
			    "the change to epoch %" PRIu64 " was undone: %s", push->list->epoch,
			    push->status->reason[0] != '\0' ? push->status->reason
							    : "the agent gives no reason");
		return true;
	case WATCH_OVERTAKEN:
		overtaken_judge(push, outcome);
		return true;
	}
	return true;
}

static void change_wait(struct push *push, struct outcome *outcome)
{
	struct watch watch = {.epoch = push->list->epoch};
	struct watch_progress progress;
	uint64_t answered_ms = now_ms();
	bool over = false;

	watch_progress_begin(&progress, stdout);
	while (!over) {
		struct failure failure;
		int error = status_fetch(push, &failure);

		if (error == 0) {
			answered_ms = now_ms();
			over = state_judge(push, watch_judge(&watch, push->status), outcome);
			if (over)
				break;
			watch_progress_show(&progress, push->status, answered_ms - push->begun_ms);
		} else if (error != -EINTR) {
			watch_progress_note(&progress, failure.text, now_ms() - push->begun_ms);
		}
		if (error != -EINTR)
			error = link_pause(push->link, PUSH_POLL_MS, &failure);
		over = true;
		if (error == -EINTR)
			outcome_leave(outcome, "interrupted", ADMIN_INTERRUPTED, "interrupted");
		else if (push->timeout_ms != 0 && now_ms() - push->begun_ms >= push->timeout_ms)
			outcome_leave(outcome, "timeout", ADMIN_TIMED_OUT, "not settled in time");
		else if (now_ms() - answered_ms >= PUSH_SILENCE_MS)
			outcome_leave(outcome, "failed", ADMIN_FAILED,
				      "the agent has said nothing for a minute");
		else
			over = false;
	}
	watch_progress_end(&progress);
}

static void verdict_judge(struct push *push, enum verdict verdict, const char *text,
			  struct outcome *outcome)
{
	switch (verdict) {
	case VERDICT_ACCEPTED:
		outcome_set(outcome, "accepted", ADMIN_DONE,
			    "Epoch %" PRIu64 " is accepted; the change runs by itself.",
			    push->list->epoch);
		return;
	case VERDICT_REFUSED:
		outcome_set(outcome, "refused", ADMIN_REFUSED, "%s refuses: %s",
			    link_peer_name(push->link), text);
		return;
	case VERDICT_BUSY:
		outcome_set(outcome, "busy", ADMIN_REFUSED, "%s is busy: %s",
			    link_peer_name(push->link), text);
		return;
	case VERDICT_LATER:
		outcome_set(outcome, "timeout", ADMIN_TIMED_OUT, "%s could not take it in time: %s",
			    link_peer_name(push->link), text);
		return;
	case VERDICT_FAILED:
	case VERDICT_COUNT:
		break;
	}
	outcome_set(outcome, "failed", ADMIN_FAILED, "%s failed: %s", link_peer_name(push->link),
		    text);
}

/* An offer without an answer may have been taken up all the same. */
static void offer_lost(int error, const char *why, struct outcome *outcome)
{
	static const char unknown[] =
	    "; whether the list was accepted is not known, 'mcadmin status' tells";

	switch (-error) {
	case EINTR:
		outcome_set(outcome, "interrupted", ADMIN_INTERRUPTED, "%s%s", why, unknown);
		return;
	case ETIMEDOUT:
		outcome_set(outcome, "timeout", ADMIN_TIMED_OUT, "%s%s", why, unknown);
		return;
	case ECONNRESET:
		outcome_set(outcome, "failed", ADMIN_FAILED, "%s%s", why, unknown);
		return;
	case ETIME:
		outcome_set(outcome, "timeout", ADMIN_TIMED_OUT, "%s; nothing was offered", why);
		return;
	default:
		outcome_set(outcome, "failed", ADMIN_FAILED, "%s", why);
		return;
	}
}

static bool out_of_time(const struct push *push)
{
	return push->timeout_ms != 0 && now_ms() - push->begun_ms >= push->timeout_ms;
}

static void list_offer(struct push *push, struct outcome *outcome)
{
	enum verdict verdict;
	char text[MESSAGE_TEXT_BYTES];
	struct failure failure;
	bool said = false;
	int error;

	/* A coordinator that has just started first waits for earlier leases to run out. */
	while ((error = link_offer(push->link, push->list->document, push->list->document_bytes,
				   &verdict, text, &failure)) == 0 &&
	       verdict == VERDICT_LATER && !out_of_time(push)) {
		if (!said)
			(void)fprintf(stderr, "waiting: %s\n", text);
		said = true;
		error = link_pause(push->link, PUSH_POLL_MS, &failure);
		if (error != 0)
			break;
	}
	if (error == 0)
		verdict_judge(push, verdict, text, outcome);
	else
		offer_lost(error, failure.text, outcome);
}

static void outcome_json(const struct push *push, const struct outcome *outcome)
{
	const struct status *status = push->status;
	bool ours = status != NULL && status->change_epoch == push->list->epoch;
	uint64_t moved = ours ? status->change_slots_moved : 0;
	struct json json;

	json_begin(&json, stdout);
	json_object_open(&json, NULL);
	json_string(&json, "result", outcome->result);
	json_unsigned(&json, "epoch", push->list->epoch);
	json_unsigned(&json, "slots", push->list->slot_count);
	json_unsigned(&json, "slots_moved", moved);
	json_decimal(&json, "percent_moved", 100.0 * (double)moved / push->list->slot_count);
	json_unsigned(&json, "keys_moved", ours ? status->keys_moved : 0);
	json_unsigned(&json, "keys_failed", ours ? status->keys_failed : 0);
	json_decimal(&json, "seconds", (double)(now_ms() - push->begun_ms) / 1000.0);
	json_string(&json, "reason", outcome->code == ADMIN_DONE ? NULL : outcome->words);
	json_object_close(&json);
	json_end(&json);
}

static int outcome_say(const struct push *push, const struct outcome *outcome)
{
	if (outcome->code != ADMIN_DONE) {
		(void)fflush(stdout);
		(void)fprintf(stderr, "%s: %s\n", push->command, outcome->words);
	} else if (!push->json) {
		(void)printf("%s\n", outcome->words);
	}
	if (push->json)
		outcome_json(push, outcome);
	return outcome->code;
}

/* Returns a negative number to go on, an exit code otherwise. */
static int options_read(int argc, char **argv, struct push *push)
{
	static const struct option table[] = {
	    {"timeout", required_argument, NULL, 't'},
	    {"no-wait", no_argument, NULL, 'n'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    TARGET_OPTIONS,
	    {NULL, 0, NULL, 0},
	};
	uint64_t seconds;
	int option;

	while ((option = getopt_long(argc, argv, "h", table, NULL)) != -1) {
		if (target_option(&push->target, option, optarg))
			continue;
		switch (option) {
		case 't':
			if (!human_number(optarg, 1, 1000000, &seconds))
				return admin_usage(argv[0], "--timeout '%s': 1 to 1000000 seconds",
						   optarg);
			push->timeout_ms = seconds * 1000;
			break;
		case 'n':
			push->no_wait = true;
			break;
		case 'j':
			push->json = true;
			break;
		case 'h':
			return admin_help(usage);
		default:
			return admin_usage_hint(argv[0]);
		}
	}
	if (argc - optind != 1)
		return admin_usage(argv[0], "one LIST is wanted, %d given", argc - optind);
	push->path = argv[optind];
	return -1;
}

int command_push(int argc, char **argv)
{
	struct push push = {.command = argv[0]};
	struct outcome outcome = {0};
	struct link_peer peer;
	struct failure failure;
	int error, code = options_read(argc, argv, &push);

	if (code >= 0)
		return code;
	error = list_source_file(push.path, NULL, &push.list, &failure);
	if (error < 0)
		return admin_fail(argv[0], error, &failure);
	code = target_peer(argv[0], &push.target, push.list->cluster, &peer);
	if (code >= 0)
		goto out;
	push.begun_ms = now_ms();
	error = link_new(&peer, &push.link, &failure);
	if (error == 0)
		error = link_catch_interrupt(push.link, &failure);
	if (error == 0 && push.timeout_ms != 0)
		error = link_limit(push.link, push.timeout_ms, &failure);
	if (error < 0) {
		code = admin_fail(argv[0], error, &failure);
		goto out;
	}
	list_offer(&push, &outcome);
	if (outcome.code == ADMIN_DONE && !push.no_wait)
		change_wait(&push, &outcome);
	code = outcome_say(&push, &outcome);
out:
	status_free(push.status);
	link_free(push.link);
	list_free(push.list);
	return code;
}
