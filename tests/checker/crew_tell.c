/* crew_tell.c - what went wrong, on standard error (crew_internal.h). */
#include "crew_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define COMPLAINTS 20u

void failure_tell(struct hand *hand, const char *what, const char *reason)
{
	unsigned before = atomic_fetch_add(&hand->crew->complaints, 1);

	if (before < COMPLAINTS)
		fprintf(stderr, "checker: w%u on %s: %s: %s\n", hand->number,
			hand->crew->setup.segments[hand->host], what, reason);
	else if (before == COMPLAINTS)
		fprintf(stderr, "checker: more failures are counted, not shown\n");
}

void violation_tell(struct hand *hand, enum verdict verdict, uint32_t index, const char *answer)
{
	struct crew *crew = hand->crew;
	char key[VALUES_KEY_MAX];

	pthread_mutex_lock(&crew->telling);
	if (!atomic_exchange(&crew->violated, true)) {
		values_key(index, key);
		fprintf(stderr, "checker: VIOLATION: %s: key %s\n", ledger_verdict_name(verdict),
			key);
		fprintf(stderr, "  %12.6f s  w%-3u on %s: %s\n", (double)ledger_now_us() / 1e6,
			hand->number, crew->setup.segments[hand->host], answer);
		ledger_print(crew->ledger, index, stderr);
		fflush(stderr);
	}
	pthread_mutex_unlock(&crew->telling);
	atomic_store(&crew->stopped, true);
}
