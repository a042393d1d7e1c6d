/* push_report.c - see push_report.h. */
#include "admin/push_report.h"

#include "admin/human.h"

void push_report_list(const struct list *list, const struct status *status,
		      const struct outcome *outcome, const struct elapsed *elapsed,
		      struct json *json)
{
	const bool ours = status != NULL && status->change_epoch == list->epoch;
	const uint64_t moved = ours ? status->change_slots_moved : 0;
	const uint64_t all = ours && status->change_slots != 0 ? status->change_slots : 1;

	json_string(json, "result", outcome->result);
	json_unsigned(json, "epoch", list->epoch);
	if (human_in_slots(all)) {
		json_unsigned(json, "slots", list->slot_count);
		json_unsigned(json, "slots_moved", moved);
	}
	json_decimal(json, "percent_moved", 100.0 * (double)moved / (double)all);
	json_unsigned(json, "keys_moved", ours ? status->keys_moved : 0);
	json_unsigned(json, "keys_failed", ours ? status->keys_failed : 0);
	push_report_end(outcome, elapsed, json);
}

void push_report_end(const struct outcome *outcome, const struct elapsed *elapsed,
		     struct json *json)
{
	json_decimal(json, "seconds", (double)elapsed_ms(elapsed) / 1000.0);
	json_string(json, "reason", outcome->code == ADMIN_DONE ? NULL : outcome->words);
}
