/* fuzz_message.c - any bytes into message_decode: what it accepts encodes to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "net/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[MESSAGE_BYTES_MAX];
	struct message message;

	if (message_decode(data, size, &message) != 0)
		return 0;
	if (message_encode(&message, again) != size || memcmp(again, data, size) != 0)
		abort();
	return 0;
}
