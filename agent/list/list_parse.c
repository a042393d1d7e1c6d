/* list_parse.c - a body becomes a struct list, or nothing of it is kept.
 *
 * A list that is returned obeys every rule of mcroster-list(5); what its lines mean is
 * list_lines.c's.
 */
#include "list/list_parser.h"

#include <errno.h>
#include <stdlib.h>

int list_parse(const void *document, size_t document_bytes, struct list **list,
	       struct failure *failure)
{
	struct list_parser parser = {.list = calloc(1, sizeof(*parser.list))};
	size_t body_bytes = 0;
	int error;

	if (parser.list == NULL)
		return failure_set(failure, ENOMEM, "no memory for a list");
	error = lines_parse(&list_form, &parser, document, document_bytes, &body_bytes, failure);
	if (error == 0)
		error = lines_keep(document, document_bytes, &parser.list->document,
				   &parser.list->document_bytes, failure);
	if (error != 0) {
		list_free(parser.list);
		return error;
	}
	document_hash(document, body_bytes, parser.list->hash);
	*list = parser.list;
	return 0;
}
