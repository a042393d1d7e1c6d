/* discovery_text.c - see discovery_text.h. */
#include "daemon/discovery_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What clients take for a host: they split the text at '|', ' ' and, some of them, at ':'. */
#define HOST_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

struct span {
	const char *at;
	int chars;
};

static struct span host_of(const struct list_server *server, struct span ip, const char *port)
{
	const char *colon = strrchr(server->label, ':');
	const struct span host = {server->label, (int)(colon - server->label)};

	if (colon == NULL || host.chars == 0 || strcmp(colon + 1, port) != 0 ||
	    strspn(host.at, HOST_CHARS) != (size_t)host.chars)
		return ip;
	return host;
}

static void server_print(FILE *out, const struct list_server *server)
{
	const char *colon = strrchr(server->address, ':');
	const bool bracketed = server->address[0] == '[';
	const struct span ip = {server->address + bracketed,
				(int)(colon - server->address) - 2 * bracketed};
	const struct span host = host_of(server, ip, colon + 1);

	fprintf(out, "%.*s|%.*s|%s", host.chars, host.at, ip.chars, ip.at, colon + 1);
}

int discovery_text(const struct list *list, char **text, size_t *bytes)
{
	char *made = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&made, &length);

	if (out == NULL)
		return -ENOMEM;
	fprintf(out, "%" PRIu64 "\n", list->epoch);
	for (uint32_t i = 0; i < list->server_count; i++) {
		if (i > 0)
			fputc(' ', out);
		server_print(out, &list->servers[i]);
	}
	fputc('\n', out);
	if (fclose(out) != 0) {
		free(made);
		return -ENOMEM;
	}
	*text = made;
	*bytes = length;
	return 0;
}
