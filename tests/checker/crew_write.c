/* crew_write.c - set, add, incr, cas and delete, each held against the ledger (crew_internal.h). */
#include "crew_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum deed draw_deed(struct hand *hand, bool counter)
{
	uint32_t dice = hand_draw(hand, 100);

	if (counter)
		return dice < 88 ? DEED_INCR : dice < 94 ? DEED_SET : DEED_DELETE;
	return dice < 50 ? DEED_SET : dice < 65 ? DEED_ADD : dice < 80 ? DEED_CAS : DEED_DELETE;
}

static void write_tally(struct hand *hand, const struct ledger_write *write,
			const struct mcr_pool_report *result, enum verdict verdict, uint64_t number)
{
	struct tally *tally = &hand->tally;
	char answer[300];

	count(&tally->by_deed[write->deed]);
	if (result->status == MCR_POOL_REFUSED) {
		count(&tally->refused);
	} else if (result->status == MCR_POOL_FAILED || result->status == MCR_POOL_INCOMPLETE) {
		count(&tally->writes_failed);
		failure_tell(hand, ledger_deed_name(write->deed), result->reason);
	} else {
		count(&tally->writes);
		if (moving(result->phase))
			count(&tally->writes_moving);
	}
	count(&tally->verdicts[verdict]);
	if (!wrong(verdict))
		return;
	snprintf(answer, sizeof(answer),
		 "%s of version %" PRIu32 " (%s %" PRIu64 "), begun with %" PRIu32
		 " as the oldest version allowed: %s, phase %s, %u steps, %u plans",
		 ledger_deed_name(write->deed), write->version,
		 write->deed == DEED_CAS ? "built on" : "the counter said",
		 write->deed == DEED_CAS ? write->base : number, write->floor,
		 mcr_pool_status_name(result->status), mcr_phase_name(result->phase), result->steps,
		 result->plans);
	violation_tell(hand, verdict, write->index, answer);
}

/* What an older command of the key may yet overtake, or has just overtaken. */
static void write_look(struct hand *hand, struct ledger_write *write, const char *key,
		       size_t key_bytes)
{
	struct mcr_pool_value value;
	uint32_t writer;

	if (ledger_doubted(hand->crew->ledger, write->index) &&
	    mcr_pool_gets(hand->pool, key, key_bytes, &value, NULL) == MCR_POOL_OK) {
		ledger_write_found(
		    hand->crew->ledger, write, &value,
		    values_version(write->index, value.bytes, value.length, &writer));
		free(value.bytes);
	}
}

static void write_send(struct hand *hand, const struct batch *token, struct ledger_write *write)
{
	struct mcr_pool *pool = hand->pool;
	struct mcr_pool_report *report = &hand->report;
	char key[VALUES_KEY_MAX];
	const struct mcr_pool_item item = {
	    .key = key,
	    .key_bytes = values_key(write->index, key),
	    .value = hand->value,
	    .value_bytes = values_write(write->index, hand->number, write->version, hand->value)};
	uint64_t number = 0;

	switch (write->deed) {
	case DEED_SET:
		mcr_pool_set(pool, &item, report);
		break;
	case DEED_ADD:
		mcr_pool_add(pool, &item, report);
		break;
	case DEED_INCR:
		mcr_pool_incr(pool, key, item.key_bytes, 1, &number, report);
		break;
	case DEED_CAS:
		mcr_pool_cas(pool, &item, &token->reads[0].value.token, report);
		break;
	default:
		mcr_pool_delete(pool, key, item.key_bytes, report);
		break;
	}
	write_look(hand, write, key, item.key_bytes);
	enum verdict verdict = ledger_write_end(hand->crew->ledger, write, report, number);
	write_tally(hand, write, report, verdict, number);
}

void write_one(struct hand *hand, uint32_t index, enum deed deed)
{
	struct batch token = {.count = 0};
	struct ledger_write write;
	uint32_t base = 0;

	if (deed == DEED_CAS) {
		uint64_t sent_us = ledger_now_us();

		batch_add(hand, &token, index);
		mcr_pool_get_many(hand->pool, token.reads, 1, &hand->report);
		base = read_judge(hand, &token.reads[0], &token.looks[0], sent_us);
		if (!base)
			return;
	}
	if (!ledger_write_begin(hand->crew->ledger, index, values_counter(index), deed,
				hand->number, &write))
		return;
	write.base = base;
	write_send(hand, &token, &write);
}
