/* fuzz_mc_reply.c - any bytes as memcached's replies: what is taken lies within them, and the same
 * bytes cut in two give the same replies. */
#include <stdlib.h>
#include <string.h>

#include "net/mc_protocol.h"

#define VALUE_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void reply_check(const char *bytes, size_t size, const struct mc_reply *reply, size_t used)
{
	const char *name, *value;
	size_t name_bytes, value_bytes;

	if (used == 0 || used > size || reply->code == MC_LOST)
		abort();
	if (reply->text < bytes || reply->text + reply->text_bytes > bytes + used)
		abort();
	if ((reply->code == MC_VA) != (reply->value != NULL))
		abort();
	if (reply->code == MC_VA && (reply->value_bytes > VALUE_MAX ||
				     reply->value + reply->value_bytes + 2 != bytes + used))
		abort();
	if (mc_stat_parse(reply->text, reply->text_bytes, &name, &name_bytes, &value,
			  &value_bytes) == 0 &&
	    value + value_bytes != reply->text + reply->text_bytes)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1); /* of its exact size, so that reading past it shows */
	size_t at = 0;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	while (at < size) {
		struct mc_reply reply;
		size_t used = 0, wanted = 0;
		int whole = mc_reply_parse(copy + at, size - at, VALUE_MAX, &reply, &used);

		if (whole == 0 && used <= size - at)
			abort(); /* what it waits for is there already */
		if (whole <= 0)
			break;
		reply_check(copy + at, size - at, &reply, used);
		if (mc_reply_parse(copy + at, used - 1, VALUE_MAX, &reply, &wanted) != 0 ||
		    wanted > used)
			abort();
		at += used;
	}
	free(copy);
	return 0;
}
