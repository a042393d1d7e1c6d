/* way.c - see way.h. */
#include "way.h"

#include <stdio.h>
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
