/* list.c - what is asked of a list that is already parsed, and the way in for a signed one.
 *
 * A struct list is immutable, so everything here may be called from any thread.
 */
#include "list/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int list_open(const void *document, size_t document_bytes, const struct trust *trust,
	      const char *cluster, struct list **list, struct failure *failure)
{
	struct list *opened = NULL;
	size_t body_bytes = 0;
	int error = document_verify(document, document_bytes, trust, &body_bytes, failure);

	if (error == 0)
		error = list_parse(document, document_bytes, &opened, failure);
	if (error != 0)
		return error;
	if (strcmp(opened->cluster, cluster) != 0) {
		error = failure_set(failure, EINVAL,
				    "the list is for cluster `%s`, this is cluster `%s`",
				    opened->cluster, cluster);
		list_free(opened);
		return error;
	}
	*list = opened;
	return 0;
}

void list_free(struct list *list)
{
	if (list == NULL)
		return;
	free(list->agents);
	free(list->servers);
	free(list->giveups);
	free(list->slots);
	free(list->document);
	free(list);
}

int list_agent_find(const struct list *list, const char *name)
{
	for (uint32_t i = 0; i < list->agent_count; i++)
		if (strcmp(list->agents[i].name, name) == 0)
			return (int)i;
	return -1;
}

int list_server_find(const struct list *list, const char *name)
{
	for (uint32_t i = 0; i < list->server_count; i++)
		if (strcmp(list->servers[i].name, name) == 0)
			return (int)i;
	return -1;
}

bool list_gives_up(const struct list *list, const char *name, const char *address)
{
	for (uint32_t i = 0; i < list->giveup_count; i++)
		if (strcmp(list->giveups[i].name, name) == 0)
			return strcmp(list->giveups[i].address, address) == 0;
	return false;
}

bool list_may_coordinate(const struct list *list, uint32_t agent)
{
	for (uint32_t i = 0; i < list->coordinator_count; i++)
		if (list->coordinators[i] == agent)
			return true;
	return false;
}

bool list_key_covered(const struct list *list, const void *key, size_t key_bytes)
{
	const size_t prefix_bytes = strlen(list->prefix);

	return key_bytes >= prefix_bytes && memcmp(key, list->prefix, prefix_bytes) == 0;
}
