/* fuzz_keys.c - the parser of keys documents under arbitrary bytes.
 *
 * A document that is taken has one spelling: writing it must give its body back to the byte; and
 * its trust is one that can be met.  Bytes that the one trusted key has not signed never open,
 * neither as the first version nor after another.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "list/keys.h"
#include "stranger.h"

static void written_again(const struct keys *keys, const uint8_t *body, size_t body_bytes)
{
	struct failure failure;
	void *text = NULL;
	size_t bytes = 0;

	if (keys_write(keys, &text, &bytes, &failure) != 0 || bytes != body_bytes ||
	    memcmp(text, body, bytes) != 0)
		abort();
	free(text);
}

static void opens_nothing(const uint8_t *data, size_t size, const struct keys *before)
{
	struct failure failure;
	struct keys *keys = NULL;

	if (keys_open_first(data, size, stranger_trust(), "web", &keys, &failure) == 0 ||
	    (before != NULL && keys_open_next(data, size, before, &keys, &failure) == 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct failure failure;
	struct keys *keys = NULL;
	struct trust trust;
	size_t body_bytes = 0;
	uint32_t signatures = 0;

	opens_nothing(data, size, NULL);
	if (keys_parse(data, size, &keys, &failure) != 0)
		return 0;
	if (document_split(data, size, &body_bytes, &signatures, &failure) != 0)
		abort();
	written_again(keys, data, body_bytes);
	keys_trust(keys, &trust);
	if (trust.threshold < 1 || trust.threshold > trust.count || trust.count > TRUST_KEYS_MAX)
		abort();
	/* Whatever it says and whoever signed it, it does not come after itself. */
	opens_nothing(data, size, keys);
	keys_free(keys);
	return 0;
}
