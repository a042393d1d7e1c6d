/* owed_show.c - how much is owed, to whom, and since when. */
#include "core/owed_internal.h"

#include <string.h>

static bool entry_owed(const struct owed_entry *entry)
{
	return entry->state != OWED_FREE && entry->state != OWED_GONE;
}

static void oldest(uint64_t *oldest_since_s, uint64_t since_s)
{
	if (*oldest_since_s == 0 || since_s < *oldest_since_s)
		*oldest_since_s = since_s;
}

void owed_status(const struct owed *owed, struct owed_status *status)
{
	*status = (struct owed_status){.keys = owed->keys,
				       .running = owed->running,
				       .limit = owed->limits.keys,
				       .live_bytes = owed->live_bytes,
				       .journal_bytes = owed->journal_bytes,
				       .store_fails = owed->store_after_ms > 0 && owed->rewrite,
				       .counts = owed->counts};
	for (uint32_t i = 0; i < owed->used; i++)
		if (entry_owed(owed_at(owed, i)))
			oldest(&status->oldest_since_s, owed_at(owed, i)->since_s);
}

/* Where the last execution failed, if it was planned under what is published now; before the first
 * one, at every server of the plan. */
void owed_status_servers(const struct owed *owed, struct owed_to *to, uint32_t count)
{
	struct mcr_plan plan;

	memset(to, 0, count * sizeof(*to));
	if (owed->present.change == NULL)
		return;
	for (uint32_t i = 0; i < owed->used; i++) {
		const struct owed_entry *entry = owed_at(owed, i);
		const uint8_t failed = entry->failed_view == owed->view ? entry->failed : 0;

		if (!entry_owed(entry) || entry->state == OWED_PAID ||
		    !owed_plan(&owed->present, entry->key, entry->key_bytes, &plan))
			continue;
		for (unsigned s = 0; s < plan.step_count; s++) {
			const uint32_t server = plan.step[s].server;

			if ((failed != 0 && (failed & 1u << s) == 0) || server >= count)
				continue;
			to[server].keys++;
			oldest(&to[server].oldest_since_s, entry->since_s);
		}
	}
}
