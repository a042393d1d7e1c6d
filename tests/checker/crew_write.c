/* crew_write.c - set, add, incr, cas and delete, each held against the ledger (crew_internal.h). */
#include "crew_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum deed draw_deed(struct hand *hand, bool counter)
{
	uint32_t dice = hand_draw(hand, 100);

	if (counter)
		return dice < 88 ? DEED_INCR : dice < 94 ? DEED_SET : DEED_DELETE;
	return dice < 50 ? DEED_SET : dice < 65 ? DEED_ADD : dice < 80 ? DEED_CAS : DEED_DELETE;
}

static void write_tally(struct hand *hand, const struct ledger_write *write,
			const struct client_result *result, enum verdict verdict, uint64_t number)
{
	struct tally *tally = &hand->tally;
	char answer[300];

	count(&tally->by_deed[write->deed]);
	if (result->status == CLIENT_REFUSED) {
		count(&tally->refused);
	} else if (result->status == CLIENT_FAILED || result->status == CLIENT_INCOMPLETE) {
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
		 client_status_name(result->status), mcr_phase_name(result->phase), result->steps,
		 result->plans);
	violation_tell(hand, verdict, write->index, answer);
}

/* What an older command of the key may yet overtake, or has just overtaken. */
static void write_look(struct hand *hand, struct ledger_write *write, const char *key,
		       size_t key_bytes)
{
	struct client_value value;
	uint32_t writer;

	if (ledger_doubted(hand->crew->ledger, write->index) &&
	    client_get(hand->client, key, key_bytes, &value) == CLIENT_OK)
		ledger_write_found(
		    hand->crew->ledger, write, &value,
		    values_version(write->index, value.bytes, value.length, &writer));
}

static void write_send(struct hand *hand, const struct batch *token, struct ledger_write *write)
{
	struct client *client = hand->client;
	char key[VALUES_KEY_MAX];
	size_t key_bytes = values_key(write->index, key);
	size_t bytes = values_write(write->index, hand->number, write->version, hand->value);
	uint64_t number = 0;

	switch (write->deed) {
	case DEED_SET:
		client_set(client, key, key_bytes, hand->value, bytes, 0, 0);
		break;
	case DEED_ADD:
		client_add(client, key, key_bytes, hand->value, bytes, 0, 0);
		break;
	case DEED_INCR:
		client_incr(client, key, key_bytes, 1, &number);
		break;
	case DEED_CAS:
		client_cas(client, &token->reads[0], hand->value, bytes, 0, 0);
		break;
	default:
		client_delete(client, key, key_bytes);
		break;
	}
	const struct client_result result = *client_result(client);
	write_look(hand, write, key, key_bytes);
	enum verdict verdict = ledger_write_end(hand->crew->ledger, write, &result, number);
	write_tally(hand, write, &result, verdict, number);
}

void write_one(struct hand *hand, uint32_t index, enum deed deed)
{
	struct batch token = {.count = 0};
	struct ledger_write write;
	uint32_t base = 0;

	if (deed == DEED_CAS) {
		uint64_t sent_us = ledger_now_us();

		batch_add(hand, &token, index);
		client_get_many(hand->client, token.reads, 1);
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
