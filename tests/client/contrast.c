/* contrast.c - a program: what a plain libmemcached client keeps when a server is added.
 *
 *   contrast --keys N ADDRESS ADDRESS ...
 *
 * Sets N keys with the last server left out, reads them with all of them, once with the modulo
 * distribution (libmemcached's default) and once with ketama, and prints the hit rates:
 *   modulo 25.1
 *   ketama 74.3
 */
#include <getopt.h>
#include <libmemcached/memcached.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(void)
{
	fputs("usage: contrast --keys N ADDRESS ADDRESS ...\n", stderr);
	return 2;
}

static memcached_st *fleet_open(char **addresses, int count, bool ketama)
{
	memcached_st *fleet = memcached_create(NULL);

	if (!fleet)
		return NULL;
	if (ketama)
		memcached_behavior_set(fleet, MEMCACHED_BEHAVIOR_KETAMA, 1);
	memcached_behavior_set(fleet, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
	for (int i = 0; i < count; i++) {
		char host[128];
		snprintf(host, sizeof(host), "%s", addresses[i]);
		char *colon = strrchr(host, ':');
		if (!colon)
			goto fail;
		*colon = '\0';
		if (memcached_server_add(fleet, host, (in_port_t)atoi(colon + 1)))
			goto fail;
	}
	return fleet;
fail:
	memcached_free(fleet);
	return NULL;
}

/* Hits of a hundred, or a negative number. */
static double hit_rate(char **addresses, int count, bool ketama, long keys)
{
	memcached_st *before = fleet_open(addresses, count - 1, ketama);
	memcached_st *after = fleet_open(addresses, count, ketama);
	long hits = 0;
	double rate = -1;

	for (long i = 0; before && after && i < 2 * keys; i++) {
		char key[64];
		memcached_return_t rc;
		size_t length = (size_t)snprintf(key, sizeof(key), "plain:%s:%ld",
						 ketama ? "ketama" : "modulo", i % keys);
		if (i < keys) {
			rc = memcached_set(before, key, length, "value", 5, 0, 0);
			if (rc != MEMCACHED_SUCCESS)
				goto out;
			continue;
		}
		size_t bytes;
		uint32_t flags;
		char *value = memcached_get(after, key, length, &bytes, &flags, &rc);
		if (rc != MEMCACHED_SUCCESS && rc != MEMCACHED_NOTFOUND)
			goto out;
		hits += value != NULL;
		free(value);
	}
	if (before && after)
		rate = 100.0 * (double)hits / (double)keys;
out:
	if (before)
		memcached_free(before);
	if (after)
		memcached_free(after);
	return rate;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"keys", required_argument, NULL, 'k'},
						{NULL, 0, NULL, 0}};
	long keys = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'k')
			return usage();
		keys = strtol(optarg, NULL, 10);
	}
	if (keys < 1 || argc - optind < 2)
		return usage();
	for (int ketama = 0; ketama < 2; ketama++) {
		double rate = hit_rate(argv + optind, argc - optind, ketama != 0, keys);
		if (rate < 0) {
			fprintf(stderr, "contrast: a memcached among them does not answer\n");
			return 1;
		}
		printf("%s %.1f\n", ketama ? "ketama" : "modulo", rate);
	}
	return 0;
}
