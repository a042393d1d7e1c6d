/* way.c - see way.h. */
#include "way.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAYS_MAX 16u

static struct way {
	char address[112], login[128];
	uint16_t port;
} ways[WAYS_MAX];
static unsigned way_count;

int way_add(const char *text)
{
	struct way *way = &ways[way_count];
	unsigned port;

	if (way_count == WAYS_MAX)
		return -1;
	if (sscanf(text, "%111s port %u", way->address, &port) == 2 && port > 0 && port < 65536)
		way->port = (uint16_t)port;
	else if (sscanf(text, "%111s login %127[^\n]", way->address, way->login) != 2)
		return -1;
	way_count++;
	return 0;
}

const char *way_login(const char *address)
{
	for (unsigned i = 0; i < way_count; i++)
		if (ways[i].login[0] && strcmp(ways[i].address, address) == 0)
			return ways[i].login;
	return NULL;
}

uint16_t way_port(const char *address)
{
	for (unsigned i = 0; i < way_count; i++)
		if (ways[i].port && strcmp(ways[i].address, address) == 0)
			return ways[i].port;
	return 0;
}

/* Where another port is spoken to it is the same host's. */
static memcached_return_t way_add_server(const struct mcr_server *server, uint16_t port,
					 memcached_st *handle)
{
	char host[MCR_ADDRESS_MAX + 1];
	const bool bracketed = server->address[0] == '[';

	strcpy(host, server->address + bracketed);
	*strrchr(host, ':') = '\0';
	if (bracketed)
		*strchr(host, ']') = '\0';
	return memcached_server_add(handle, host, port);
}

memcached_return_t way_prepare(void *context, const struct mcr_server *server, int binary,
			       memcached_st *handle)
{
	const char *login = way_login(server->address);
	const uint16_t port = way_port(server->address);
	memcached_return_t rc = MEMCACHED_SUCCESS;

	(void)context;
	(void)binary;
	if (port || login)
		rc = way_add_server(
		    server,
		    port ? port : (uint16_t)strtoul(strrchr(server->address, ':') + 1, NULL, 10),
		    handle);
	/* memcached's login has the form of a set that is the connection's first command. */
	if (rc == MEMCACHED_SUCCESS && login)
		rc = memcached_set(handle, "login", 5, login, strlen(login), 0, 0);
	return rc;
}
