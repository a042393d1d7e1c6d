/* fuzz_discovery.c - any bytes to the discovery endpoint: what is used lies within them, it never
 * stands still with a long line in hand, and the same bytes in small pieces are the same requests.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/discovery_line.h"

#define REQUESTS_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t requests_read(const char *bytes, size_t size, size_t piece,
			    enum discovery_request requests[REQUESTS_MAX])
{
	struct discovery_reader reader = {0};
	size_t at = 0, here = 0, count = 0;

	for (;;) {
		enum discovery_request request;
		const size_t used = discovery_read(&reader, bytes + at, here, &request);

		if (used > here || (used == 0 && here > DISCOVERY_LINE_MAX) ||
		    (used == 0 && request != DISCOVERY_NONE))
			abort();
		at += used;
		here -= used;
		if (request != DISCOVERY_NONE && count < REQUESTS_MAX)
			requests[count++] = request;
		if (used > 0)
			continue;
		if (at + here == size)
			return count;
		here += size - at - here < piece ? size - at - here : piece;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static enum discovery_request whole[REQUESTS_MAX], pieces[REQUESTS_MAX];
	char *copy = malloc(size + 1); /* of its exact size, so that reading past it shows */
	size_t count;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	count = requests_read(copy, size, size, whole);
	for (size_t piece = 1; piece < 64; piece = piece * 3 + 1)
		if (requests_read(copy, size, piece, pieces) != count ||
		    memcmp(whole, pieces, count * sizeof(whole[0])) != 0)
			abort();
	free(copy);
	return 0;
}
