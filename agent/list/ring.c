/* ring.c - see ring.h.
 *
 * The answer must be the other program's to the last key, so its arithmetic is repeated here in its
 * types and its order: a server's number of points hangs on how a float was rounded.  Where two
 * points meet, the server that comes first in the list has the place, as with a stable sort.
 */
#include "list/ring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "md5.h"

#define DIGEST_POINTS 4u  /* one for each word of a digest */
#define DIGESTS	      40u /* of a server that has its even share */
#define HASHES	      160u
#define DEFAULT_PORT  "11211"
#define SERVER_BYTES  (2 * LIST_ADDRESS_MAX + 2)
#define LABEL_BYTES   (SERVER_BYTES + 12)

struct ring {
	uint64_t *points;
	uint32_t count;
};

/* libmemcached, update_continuum; each operation is rounded to float, in this order. */
static uint32_t digests_weighted(uint32_t weight, uint64_t total, uint32_t servers)
{
	const float share = (float)weight / (float)total;
	const float points = share * 160.0F;
	const float digests = points / 4.0F * (float)servers;
	const float whole = digests + 0.0000000001F;

	return (uint32_t)whole;
}

/* libketama, ketama_create_continuum. */
static uint32_t digests_libketama(uint32_t weight, uint64_t total, uint32_t servers)
{
	const float share = (float)weight / (float)total;

	return (uint32_t)(float)(share * 40.0 * (double)(float)servers);
}

static bool weights_same(const struct list *list)
{
	for (uint32_t i = 1; i < list->server_count; i++)
		if (list->servers[i].weight != list->servers[0].weight)
			return false;
	return true;
}

/* How many hashes a server's points come from. */
static uint32_t hashes_of(const struct list *list, enum distribution_points rule, uint32_t weight,
			  uint64_t total)
{
	switch (rule) {
	case POINTS_WEIGHTED:
		return digests_weighted(weight, total, list->server_count);
	case POINTS_LIBKETAMA:
		return digests_libketama(weight, total, list->server_count);
	case POINTS_SPYMEMCACHED:
		return weights_same(list) ? DIGESTS
					  : digests_weighted(weight, total, list->server_count);
	case POINTS_FOUR_OF_40:
		return DIGESTS;
	default:
		return HASHES;
	}
}

/* What the server is called on the ring. */
static void server_label(const struct list_server *server, enum distribution_label rule,
			 char label[SERVER_BYTES])
{
	const char *colon = strrchr(server->address, ':');
	const bool bracketed = server->address[0] == '[';
	const char *host = server->address + bracketed;
	const int chars = (int)(colon - host) - bracketed;

	if (server->label[0] != '\0')
		(void)snprintf(label, SERVER_BYTES, "%s", server->label);
	else if (rule == LABEL_HOST_ADDRESS)
		(void)snprintf(label, SERVER_BYTES, "%.*s/%.*s%s", chars, host, chars, host, colon);
	else if (rule == LABEL_HOST && strcmp(colon + 1, DEFAULT_PORT) == 0)
		(void)snprintf(label, SERVER_BYTES, "%.*s", chars, host);
	else
		(void)snprintf(label, SERVER_BYTES, "%.*s%s", chars, host, colon);
}

static void point_add(struct ring *ring, uint32_t value, uint32_t server)
{
	ring->points[ring->count++] = (uint64_t)value << 32 | server;
}

static void server_add(struct ring *ring, const struct distribution_rules *rules, const char *label,
		       uint32_t hashes, uint32_t server)
{
	for (uint32_t i = 0; i < hashes; i++) {
		char text[LABEL_BYTES];
		const size_t chars = (size_t)snprintf(text, sizeof(text), "%s-%u", label, i);
		uint32_t digest[DIGEST_POINTS];

		if (rules->points == POINTS_ONE_OF_160) {
			point_add(ring, (uint32_t)mcr_hash(text, chars), server);
			continue;
		}
		mcr_md5(text, chars, digest);
		for (uint32_t word = 0; word < DIGEST_POINTS; word++)
			point_add(ring, digest[word], server);
	}
}

static int point_compare(const void *left, const void *right)
{
	const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* The number of a server is the low word, so among equal values the first one's comes first. */
static void points_settle(struct ring *ring)
{
	uint32_t kept = 0;

	qsort(ring->points, ring->count, sizeof(*ring->points), point_compare);
	for (uint32_t i = 0; i < ring->count; i++)
		if (kept == 0 || ring->points[kept - 1] >> 32 != ring->points[i] >> 32)
			ring->points[kept++] = ring->points[i];
	ring->points[kept] = (uint64_t)UINT32_MAX << 32 | (uint32_t)ring->points[0];
	ring->count = kept;
}

int ring_make(const struct list *list, uint64_t **points, uint32_t *count, struct failure *failure)
{
	const struct distribution_rules *rules = distribution_rules(list->distribution);
	const uint32_t per_hash = rules->points == POINTS_ONE_OF_160 ? 1 : DIGEST_POINTS;
	uint64_t total = 0;
	size_t room = 1;
	struct ring ring = {0};

	for (uint32_t i = 0; i < list->server_count; i++)
		total += list->servers[i].weight;
	for (uint32_t i = 0; i < list->server_count; i++)
		room += (size_t)per_hash *
			hashes_of(list, rules->points, list->servers[i].weight, total);
	if (room == 1)
		return failure_set(failure, EINVAL, "no server gets a point on the ring");
	ring.points = calloc(room, sizeof(*ring.points));
	if (ring.points == NULL)
		return failure_set(failure, ENOMEM, "no memory for a ring of %zu points", room);
	for (uint32_t i = 0; i < list->server_count; i++) {
		char label[SERVER_BYTES];

		server_label(&list->servers[i], rules->label, label);
		server_add(&ring, rules, label,
			   hashes_of(list, rules->points, list->servers[i].weight, total), i);
	}
	points_settle(&ring);
	*points = ring.points;
	*count = ring.count;
	return 0;
}
