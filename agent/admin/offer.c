/* offer.c - see offer.h. */
#include "admin/offer.h"

#include <errno.h>
#include <stdio.h>

#include "admin/screen.h"

#define OFFER_AGAIN_MS 200u

int offer_prepare(struct link *link, const struct elapsed *elapsed, struct failure *failure)
{
	int error = link_catch_interrupt(link, failure);

	if (error == 0 && elapsed->limit_ms != 0)
		error = link_limit(link, elapsed->limit_ms, failure);
	return error;
}

static void verdict_judge(const struct link *link, enum verdict verdict, const char *text,
			  struct outcome *outcome)
{
	switch (verdict) {
	case VERDICT_ACCEPTED:
		outcome_set(outcome, "accepted", ADMIN_DONE, "%s: %s", link_peer_name(link),
			    text[0] == '\0' ? "accepted" : text);
		return;
	case VERDICT_REFUSED:
		outcome_set(outcome, "refused", ADMIN_REFUSED, "%s refuses: %s",
			    link_peer_name(link), text);
		return;
	case VERDICT_BUSY:
		outcome_set(outcome, "busy", ADMIN_REFUSED, "%s is busy: %s", link_peer_name(link),
			    text);
		return;
	case VERDICT_LATER:
		outcome_set(outcome, "timeout", ADMIN_TIMED_OUT, "%s could not take it in time: %s",
			    link_peer_name(link), text);
		return;
	case VERDICT_FAILED:
	case VERDICT_COUNT:
		break;
	}
	outcome_set(outcome, "failed", ADMIN_FAILED, "%s failed: %s", link_peer_name(link), text);
}

/* An offer without an answer may have been taken up all the same. */
static void offer_lost(int error, const char *why, struct outcome *outcome)
{
	static const char unknown[] =
	    "; whether it was accepted is not known, 'mcadmin status' tells";

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

void offer_document(struct link *link, const void *document, size_t document_bytes,
		    const struct elapsed *elapsed, struct outcome *outcome)
{
	enum verdict verdict;
	char text[MESSAGE_TEXT_BYTES];
	struct failure failure;
	bool said = false;
	int error;

	/* A coordinator that has just started first waits for earlier leases to run out. */
	while ((error = link_offer(link, document, document_bytes, &verdict, text, &failure)) ==
		   0 &&
	       verdict == VERDICT_LATER && !elapsed_over(elapsed)) {
		if (!said)
			screen_say(stderr, "waiting: %s", text);
		said = true;
		error = link_pause(link, OFFER_AGAIN_MS, &failure);
		if (error != 0)
			break;
	}
	/* Out of time between two offers: the last verdict stands. */
	if (error == 0 || (error == -ETIME && said))
		verdict_judge(link, verdict, text, outcome);
	else
		offer_lost(error, failure.text, outcome);
}
