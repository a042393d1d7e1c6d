/* fuzz_etcd.c - any bytes as etcd's answer: the first chooses what was asked, the second the HTTP
 * status.  What is believed holds together. */
#include <stdlib.h>
#include <string.h>

#include "daemon/etcd_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void token(long status, const char *text, size_t length)
{
	char word[ETCD_TOKEN_BYTES];
	struct failure failure;

	if (etcd_token_read("e", status, text, length, word, &failure) == ETCD_TOKEN_GIVEN &&
	    strpbrk(word, " \r\n") != NULL)
		abort();
	(void)etcd_answer_wants_token(status, text, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t hash[LIST_HASH_BYTES] = {1};
	static const long statuses[] = {200, 400, 401, 404, 429, 503};
	struct election_action action = {.lease = 77, .hash = hash, .drop_count = 1};
	const struct election_key *reg;
	struct etcd_answer answer;
	struct etcd_keys keys;
	long status;

	if (size < 2)
		return 0;
	etcd_keys_make(&keys, "web");
	action.request = (enum election_request)(data[0] % (ELECTION_KEEPALIVE + 1));
	status = statuses[data[1] % (sizeof(statuses) / sizeof(*statuses))];
	etcd_answer_read(&keys, &action, "e", status, (const char *)data + 2, size - 2, &answer);
	reg = &answer.reply.reg;
	if (answer.reply.outcome == ELECTION_DONE &&
	    (answer.cluster_id == 0 || (reg->held && reg->mod_revision < reg->create_revision)))
		abort();
	if (answer.reply.outcome != ELECTION_DONE && answer.why[0] == '\0')
		abort();
	for (size_t i = 0; answer.reply.leader.held && i < answer.reply.leader.bytes; i++)
		if (answer.reply.leader.value[i] == '\0')
			break;
	etcd_answer_free(&answer);
	token(status, (const char *)data + 2, size - 2);
	return 0;
}
