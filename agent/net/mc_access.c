/* mc_access.c - see mc_access.h. */
#include "net/mc_access.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "net/mc_tls.h"

static const struct mc_access *find(const struct mc_access_list *list, const char *server)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (strcmp(list->named[i].server, server) == 0)
			return &list->named[i].access;
	return NULL;
}

const struct mc_access *mc_access_find(const struct mc_access_list *list, const char *server)
{
	const struct mc_access *access;

	if (list == NULL)
		return NULL;
	access = find(list, server);
	return access != NULL ? access : find(list, "*");
}

void mc_access_list_free(struct mc_access_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		struct mc_access *access = &list->named[i].access;

		sodium_free(access->login);
		mc_tls_free(access->tls);
		free(access->name);
	}
	free(list->named);
	*list = (struct mc_access_list){0};
}
