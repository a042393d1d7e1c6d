/* identity.c - see identity.h.  Reentrant. */
#include "list/identity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "list/line_values.h"

/* Names ascend, so only the last one can be the same. */
static int identity_place(struct lines *lines, const char *keyword, const struct list_identity *new,
			  const struct identities *others)
{
	const struct list_identity *last;
	int order;

	if (others->count == 0)
		return 0;
	last = &others->items[others->count - 1];
	order = strcmp(last->name, new->name);
	if (order == 0)
		return lines_refuse(lines, "%s `%s` stands twice", keyword, new->name);
	if (order > 0)
		return lines_refuse(lines,
				    "%s `%s` after `%s`: they stand in ascending order of their "
				    "names",
				    keyword, new->name, last->name);
	for (uint32_t i = 0; i < others->count; i++)
		if (strcmp(others->items[i].address, new->address) == 0)
			return lines_refuse(lines, "%s `%s` at %s has the address of `%s`", keyword,
					    new->name, new->address, others->items[i].name);
	return 0;
}

int identity_take(struct lines *lines, const struct word *words, const char *keyword, uint32_t max,
		  struct identities *identities)
{
	struct list_identity *items, *new;
	int error;

	if (identities->count == max)
		return lines_refuse(lines, "more than %" PRIu32 " %s lines", max, keyword);
	items = lines_grow(identities->items, identities->count, &identities->room, sizeof(*items));
	if (items == NULL)
		return failure_set(lines->failure, ENOMEM, "no memory for one more %s line",
				   keyword);
	identities->items = items;
	new = &items[identities->count];
	memset(new, 0, sizeof(*new));
	error = line_name(lines, words[1], keyword, new->name);
	if (error == 0)
		error = line_address(lines, words[2], keyword, new->address);
	if (error == 0)
		error = identity_place(lines, keyword, new, identities);
	if (error == 0)
		identities->count++;
	return error;
}

static int name_compare(const void *a, const void *b)
{
	const struct list_identity *one = a, *other = b;

	return strcmp(one->name, other->name);
}

int identity_print(const char *keyword, const struct list_identity *items, uint32_t count,
		   FILE *out)
{
	struct list_identity *sorted;

	if (count == 0)
		return 0;
	sorted = calloc(count, sizeof(*sorted));
	if (sorted == NULL)
		return -ENOMEM;
	memcpy(sorted, items, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), name_compare);
	for (uint32_t i = 0; i < count; i++)
		fprintf(out, "%s %s %s\n", keyword, sorted[i].name, sorted[i].address);
	free(sorted);
	return 0;
}
