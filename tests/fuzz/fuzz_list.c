/* fuzz_list.c - the envelope and the list's parser under arbitrary bytes.
 *
 * A list that is taken has one spelling: writing it must give its body back to the byte.  And bytes
 * that the one trusted key has not signed must never verify.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "list/change.h"
#include "list/list.h"
#include "stranger.h"

static void written_again(const struct list *list, const uint8_t *body, size_t body_bytes)
{
	struct failure failure;
	void *text = NULL;
	size_t bytes = 0;

	if (list_write(list, &text, &bytes, &failure) != 0 || bytes != body_bytes ||
	    memcmp(text, body, bytes) != 0)
		abort();
	free(text);
}

/* Every number in a list that was taken is in its bounds: whoever follows them stays inside. */
static void numbers_followed(const struct list *list)
{
	struct failure failure;
	struct change *change = NULL;
	uint32_t before, after;

	if (change_new(list, NULL, &change, &failure) != 0 || change->moved != 0)
		abort();
	change_key_owners(change, "key", 3, &before, &after);
	if (before >= list->server_count || after != before)
		abort();
	change_free(change);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct failure failure;
	struct list *list = NULL;
	size_t body_bytes = 0;
	uint32_t signatures = 0;
	const int split = document_split(data, size, &body_bytes, &signatures, &failure);

	if (list_open(data, size, stranger_trust(), "web", &list, &failure) == 0)
		abort();
	if (list_parse(data, size, &list, &failure) != 0)
		return 0;
	if (split != 0 || body_bytes > size)
		abort();
	written_again(list, data, body_bytes);
	numbers_followed(list);
	list_free(list);
	return 0;
}
