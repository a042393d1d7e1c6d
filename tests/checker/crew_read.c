/* crew_read.c - reads of many keys at a time, each answer held against the ledger
 * (crew_internal.h).
 */
#include "crew_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void batch_add(struct hand *hand, struct batch *batch, uint32_t index)
{
	unsigned i = batch->count++;

	batch->reads[i].key = batch->keys[i];
	batch->reads[i].wants_token = 1;
	batch->reads[i].key_bytes = values_key(index, batch->keys[i]);
	ledger_read_begin(hand->crew->ledger, index, &batch->looks[i]);
}

static void read_violation(struct hand *hand, enum verdict verdict,
			   const struct mcr_pool_read *read, const struct ledger_read *look,
			   uint64_t sent_us)
{
	char answer[400], value[64] = "";

	if (read->status == MCR_POOL_OK)
		snprintf(value, sizeof(value), "\"%.*s\", %zu bytes, ",
			 (int)(read->value.length < 32 ? read->value.length : 32),
			 read->value.bytes ? (const char *)read->value.bytes : "",
			 read->value.length);
	snprintf(answer, sizeof(answer),
		 "get, begun at %.6f s with %" PRIu32 " as the oldest version allowed: %s, %s"
		 "phase %s, %u steps, %u plans, generation %" PRIu32,
		 (double)sent_us / 1e6, look->floor, mcr_pool_status_name(read->status), value,
		 mcr_phase_name(read->phase), read->steps, read->plans, read->generation);
	violation_tell(hand, verdict, look->index, answer);
}

uint32_t read_judge(struct hand *hand, const struct mcr_pool_read *read,
		    const struct ledger_read *look, uint64_t sent_us)
{
	struct tally *tally = &hand->tally;
	uint32_t writer, version = 0;

	if (read->status != MCR_POOL_OK && read->status != MCR_POOL_NOT_FOUND) {
		count(read->status == MCR_POOL_REFUSED ? &tally->refused : &tally->reads_failed);
		failure_tell(hand, "get", hand->report.reason);
		return 0;
	}
	count(&tally->reads);
	if (moving(read->phase))
		count(&tally->reads_moving);
	count(read->status == MCR_POOL_OK ? &tally->hits : &tally->misses);
	if (read->status == MCR_POOL_OK)
		version =
		    values_version(look->index, read->value.bytes, read->value.length, &writer);
	enum verdict verdict = ledger_read_end(
	    hand->crew->ledger, look, read->status == MCR_POOL_OK ? &read->value : NULL, version);
	count(&tally->verdicts[verdict]);
	if (wrong(verdict))
		read_violation(hand, verdict, read, look, sent_us);
	free(read->value.bytes);
	return verdict == LEDGER_LATE ? 0 : version;
}

void batch_read(struct hand *hand, struct batch *batch)
{
	uint64_t sent_us = ledger_now_us();

	mcr_pool_get_many(hand->pool, batch->reads, batch->count, &hand->report);
	for (unsigned i = 0; i < batch->count; i++)
		(void)read_judge(hand, &batch->reads[i], &batch->looks[i], sent_us);
	batch->count = 0;
}
