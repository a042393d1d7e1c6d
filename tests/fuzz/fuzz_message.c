/* fuzz_message.c - any bytes into message_decode, of each version: what it accepts encodes to the
 * same bytes. */
#include <stdlib.h>
#include <string.h>

#include "net/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[MESSAGE_BYTES_MAX];
	struct message message;

	for (uint16_t version = 0; version <= PROTOCOL_VERSION; version++)
		if (message_decode(data, size, version, &message) == 0 &&
		    (message_encode(&message, version, again) != size ||
		     memcmp(again, data, size) != 0))
			abort();
	return 0;
}
