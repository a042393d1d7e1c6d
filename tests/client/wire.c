/* wire.c - see wire.h. */
#include "wire.h"

#include "way.h"

#include <errno.h>
#include <libmemcached/memcached.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"

#define ADDRESS_BYTES 112
/* Servers in one exchange. */
#define ASKED_MAX 256

/* libmemcached reads the classic protocol's answers right only where the key is of printable
 * characters; any other key goes over the binary protocol, which takes every byte. */
enum protocol { CLASSIC, BINARY, PROTOCOLS };

struct wire {
	struct wire *next;
	uint64_t server_id;
	char address[ADDRESS_BYTES];
	char host[ADDRESS_BYTES];
	in_port_t port;
	memcached_st *speaker[PROTOCOLS]; /* NULL: not connected */
	enum protocol in_use;		  /* by the command under way */
	struct asker *asker;
	char reason[96];
};

struct wire_pool {
	struct wire *first;
};

struct wire_pool *wire_pool_new(void)
{
	return calloc(1, sizeof(struct wire_pool));
}

void wire_pool_free(struct wire_pool *pool)
{
	if (!pool)
		return;
	while (pool->first) {
		struct wire *wire = pool->first;
		pool->first = wire->next;
		for (int i = 0; i < PROTOCOLS; i++)
			if (wire->speaker[i])
				memcached_free(wire->speaker[i]);
		asker_free(wire->asker);
		free(wire);
	}
	free(pool);
}

static int address_split(struct wire *wire, const char *address)
{
	const char *colon = strrchr(address, ':');
	size_t host_bytes = colon ? (size_t)(colon - address) : 0;

	if (!host_bytes || strlen(address) >= ADDRESS_BYTES)
		return -1;
	strcpy(wire->address, address);
	if (address[0] == '[') {
		address++;
		if (host_bytes < 3 || colon[-1] != ']')
			return -1;
		host_bytes -= 2;
	}
	memcpy(wire->host, address, host_bytes);
	wire->host[host_bytes] = '\0';
	long port = strtol(colon + 1, NULL, 10);
	if (port < 1 || port > 65535)
		return -1;
	wire->port = way_port(wire->address) ? way_port(wire->address) : (in_port_t)port;
	return 0;
}

struct wire *wire_of(struct wire_pool *pool, uint64_t server_id, const char *address)
{
	for (struct wire *wire = pool->first; wire; wire = wire->next)
		if (wire->server_id == server_id && strcmp(wire->address, address) == 0)
			return wire;

	struct wire *wire = calloc(1, sizeof(*wire));
	if (!wire)
		return NULL;
	if (!address_split(wire, address))
		wire->asker = asker_new(wire->host, wire->port, way_login(wire->address));
	if (!wire->asker) {
		free(wire);
		return NULL;
	}
	wire->server_id = server_id;
	wire->next = pool->first;
	pool->first = wire;
	return wire;
}

static enum protocol protocol_for(const unsigned char *key, size_t key_bytes)
{
	for (size_t i = 0; i < key_bytes; i++)
		if (key[i] <= 0x20 || key[i] >= 0x7f)
			return BINARY;
	return CLASSIC;
}

/* memcached's login has the form of a set that is the connection's first command. */
static bool wire_log_in(const struct wire *wire, memcached_st *memcached)
{
	const char *login = way_login(wire->address);

	return !login || memcached_set(memcached, "login", 5, login, strlen(login), 0, 0) ==
			     MEMCACHED_SUCCESS;
}

static memcached_st *wire_open(struct wire *wire, int timeout_ms, const void *key, size_t key_bytes)
{
	wire->in_use = protocol_for(key, key_bytes);
	memcached_st *memcached = wire->speaker[wire->in_use];
	bool fresh = !memcached;

	if (fresh) {
		memcached = memcached_create(NULL);
		if (!memcached)
			return NULL;
		memcached_behavior_set(memcached, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
		/* With it libmemcached closes by a reset (SO_LINGER 0): what a time-out left in the
		 * kernel's queue must not reach the server when the network is back. */
		memcached_behavior_set(memcached, MEMCACHED_BEHAVIOR_NO_BLOCK, 1);
		memcached_behavior_set(memcached, MEMCACHED_BEHAVIOR_BINARY_PROTOCOL,
				       wire->in_use == BINARY);
		if (memcached_server_add(memcached, wire->host, wire->port) != MEMCACHED_SUCCESS) {
			memcached_free(memcached);
			return NULL;
		}
		wire->speaker[wire->in_use] = memcached;
	}
	memcached_behavior_set(memcached, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, (uint64_t)timeout_ms);
	memcached_behavior_set(memcached, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, (uint64_t)timeout_ms);
	if (fresh && !wire_log_in(wire, memcached)) {
		memcached_free(memcached);
		wire->speaker[wire->in_use] = NULL;
		return NULL;
	}
	return memcached;
}

static enum wire_answer wire_judge(struct wire *wire, memcached_return_t rc)
{
	switch (rc) {
	case MEMCACHED_SUCCESS:
	case MEMCACHED_STORED:
	case MEMCACHED_DELETED:
	case MEMCACHED_END:
		return WIRE_DONE;
	case MEMCACHED_NOTFOUND:
		return WIRE_MISS;
	case MEMCACHED_NOTSTORED:
	case MEMCACHED_DATA_EXISTS:
		return WIRE_NOT_STORED;
	default:
		break;
	}
	memcached_st *memcached = wire->speaker[wire->in_use];
	snprintf(wire->reason, sizeof(wire->reason), "%s", memcached_strerror(memcached, rc));
	memcached_free(memcached);
	wire->speaker[wire->in_use] = NULL;
	return WIRE_FAILED;
}

static enum wire_answer wire_unopened(struct wire *wire)
{
	snprintf(wire->reason, sizeof(wire->reason), "no memory for a connection, or no login");
	return WIRE_FAILED;
}

void wire_ask(struct wire *wire, struct wire_query *query)
{
	asker_queue(wire->asker, query);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void wire_pool_exchange(struct wire_pool *pool, int timeout_ms)
{
	int64_t until_ms = now_ms() + timeout_ms;

	for (;;) {
		struct pollfd fds[ASKED_MAX];
		nfds_t count = 0;

		for (struct wire *wire = pool->first; wire; wire = wire->next) {
			if (!asker_busy(wire->asker))
				continue;
			if (count == ASKED_MAX) {
				asker_fail(wire->asker, "too many servers at once");
				continue;
			}
			asker_go(wire->asker, &fds[count]);
			count += asker_busy(wire->asker);
		}
		if (!count)
			return;
		int64_t left_ms = until_ms - now_ms();
		if (left_ms <= 0 || (poll(fds, count, (int)left_ms) < 0 && errno != EINTR))
			break;
	}
	for (struct wire *wire = pool->first; wire; wire = wire->next)
		if (asker_busy(wire->asker))
			asker_fail(wire->asker, "TIMEOUT");
}

enum wire_answer wire_set(struct wire *wire, int timeout_ms, const void *key, size_t key_bytes,
			  const void *value, size_t value_bytes, uint32_t flags, time_t expiry)
{
	memcached_st *memcached = wire_open(wire, timeout_ms, key, key_bytes);

	if (!memcached)
		return wire_unopened(wire);
	return wire_judge(
	    wire, memcached_set(memcached, key, key_bytes, value, value_bytes, expiry, flags));
}

enum wire_answer wire_add(struct wire *wire, int timeout_ms, const void *key, size_t key_bytes,
			  const void *value, size_t value_bytes, uint32_t flags, time_t expiry)
{
	memcached_st *memcached = wire_open(wire, timeout_ms, key, key_bytes);

	if (!memcached)
		return wire_unopened(wire);
	return wire_judge(
	    wire, memcached_add(memcached, key, key_bytes, value, value_bytes, expiry, flags));
}

enum wire_answer wire_cas(struct wire *wire, int timeout_ms, const void *key, size_t key_bytes,
			  const void *value, size_t value_bytes, uint32_t flags, time_t expiry,
			  uint64_t cas)
{
	memcached_st *memcached = wire_open(wire, timeout_ms, key, key_bytes);

	if (!memcached)
		return wire_unopened(wire);
	return wire_judge(
	    wire, memcached_cas(memcached, key, key_bytes, value, value_bytes, expiry, flags, cas));
}

enum wire_answer wire_delete(struct wire *wire, int timeout_ms, const void *key, size_t key_bytes)
{
	memcached_st *memcached = wire_open(wire, timeout_ms, key, key_bytes);

	if (!memcached)
		return wire_unopened(wire);
	return wire_judge(wire, memcached_delete(memcached, key, key_bytes, 0));
}

enum wire_answer wire_incr(struct wire *wire, int timeout_ms, const void *key, size_t key_bytes,
			   uint32_t by, uint64_t *value)
{
	memcached_st *memcached = wire_open(wire, timeout_ms, key, key_bytes);

	if (!memcached)
		return wire_unopened(wire);
	memcached_return_t rc = memcached_increment(memcached, key, key_bytes, by, value);
	enum wire_answer answer = wire_judge(wire, rc);
	/* The one such error that a well-formed incr can meet; the connection is gone all the same.
	 */
	return rc == MEMCACHED_CLIENT_ERROR ? WIRE_NOT_NUMBER : answer;
}

const char *wire_reason(const struct wire *wire)
{
	return wire->reason;
}

const char *wire_query_reason(const struct wire *wire)
{
	return asker_reason(wire->asker);
}

uint64_t wire_server_id(const struct wire *wire)
{
	return wire->server_id;
}

const char *wire_address(const struct wire *wire)
{
	return wire->address;
}
