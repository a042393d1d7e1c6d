/* wire.c - see wire.h. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "socket.h"

/* Keys in one request. */
#define ASKED_MAX 128u

/* A value up to this size is copied out of the handle's buffer, which the next one then uses again:
 * one that is taken over has come in a buffer of its own, of 1 KiB or more. */
#define COPIED_MAX 1024u

#define EACH_BYTE UINT64_C(0x0101010101010101)

struct speaker {
	memcached_st *handle; /* NULL: not connected */
	memcached_result_st result;
	bool asked; /* an answer is to be fetched */
	/* A handle connects once: what ends its connection ends it too. */
	bool socket_known;
	int socket;
};

struct wire {
	struct mcr_server server;
	const struct mcr_pool_options *options;
	char host[MCR_ADDRESS_MAX + 1];
	in_port_t port;
	struct speaker speaker[WIRE_PROTOCOLS];
	char reason[96];
};

/* "10.0.0.1:11211" or "[::1]:11211" */
static bool address_split(struct wire *wire)
{
	const char *host = wire->server.address;
	const char *colon = strrchr(host, ':');
	size_t host_bytes = colon ? (size_t)(colon - host) : 0;
	long port;

	if (host_bytes > 2 && host[0] == '[' && colon[-1] == ']') {
		host++;
		host_bytes -= 2;
	}
	port = colon ? strtol(colon + 1, NULL, 10) : 0;
	if (!host_bytes || port < 1 || port > 65535)
		return false;
	memcpy(wire->host, host, host_bytes);
	wire->host[host_bytes] = '\0';
	wire->port = (in_port_t)port;
	return true;
}

struct wire *mcr_wire_new(const struct mcr_server *server, const struct mcr_pool_options *options)
{
	struct wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return NULL;
	wire->server = *server;
	wire->options = options;
	if (!address_split(wire)) {
		free(wire);
		return NULL;
	}
	return wire;
}

static void speaker_close(struct speaker *speaker)
{
	if (!speaker->handle)
		return;
	memcached_result_free(&speaker->result);
	/* It says goodbye where there is room for that, and waits for nothing. */
	memcached_behavior_set(speaker->handle, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, 0);
	memcached_free(speaker->handle);
	speaker->handle = NULL;
}

void mcr_wire_free(struct wire *wire)
{
	if (!wire)
		return;
	for (int i = 0; i < WIRE_PROTOCOLS; i++)
		speaker_close(&wire->speaker[i]);
	free(wire);
}

void mcr_wire_abandon(struct wire *wire)
{
	/* libmemcached has no way to let go of a connection without ending it: the handles stay. */
	free(wire);
}

bool mcr_wire_is(const struct wire *wire, const struct mcr_server *server)
{
	return wire->server.id == server->id && strcmp(wire->server.address, server->address) == 0;
}

uint64_t mcr_wire_server_id(const struct wire *wire)
{
	return wire->server.id;
}

const char *mcr_wire_address(const struct wire *wire)
{
	return wire->server.address;
}

const char *mcr_wire_reason(const struct wire *wire)
{
	return wire->reason;
}

/* Is one of eight bytes not of 0x21 to 0x7e?  Without a borrow or a carry before the first such
 * byte, its high bit is set, or the subtraction sets it, or the addition. */
static uint64_t eight_unprintable(const unsigned char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return (word | (word - EACH_BYTE * 0x21) | (word + EACH_BYTE)) & EACH_BYTE * 0x80;
}

enum wire_protocol mcr_wire_protocol_for(const void *key, size_t key_bytes)
{
	const unsigned char *byte = key;
	uint64_t others = 0;

	if (key_bytes >= 8) {
		for (size_t i = 0; i < key_bytes - 8; i += 8)
			others |= eight_unprintable(byte + i);
		others |= eight_unprintable(byte + key_bytes - 8);
	} else {
		for (size_t i = 0; i < key_bytes; i++)
			others |= byte[i] < 0x21 || byte[i] > 0x7e;
	}
	return others ? WIRE_BINARY : WIRE_CLASSIC;
}

bool mcr_wire_connected(const struct wire *wire, enum wire_protocol protocol)
{
	return wire->speaker[protocol].handle != NULL;
}

/* ---- handles ---- */

static void handle_timeout(memcached_st *handle, int timeout_ms)
{
	memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_POLL_TIMEOUT, (uint64_t)timeout_ms);
	memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, (uint64_t)timeout_ms);
}

/* What the rules of mcroster_memcached.h rest on, before and after the caller's own. */
static void handle_rules(memcached_st *handle, enum wire_protocol protocol)
{
	static const struct {
		memcached_behavior_t behavior;
		uint64_t value;
	} rules[] = {
	    /* With it libmemcached closes by a reset (SO_LINGER 0): what a time-out left in the
	     * kernel's queue must not reach the server when the network is back. */
	    {MEMCACHED_BEHAVIOR_NO_BLOCK, 1},	      {MEMCACHED_BEHAVIOR_TCP_NODELAY, 1},
	    {MEMCACHED_BEHAVIOR_BUFFER_REQUESTS, 0},  {MEMCACHED_BEHAVIOR_NOREPLY, 0},
	    {MEMCACHED_BEHAVIOR_AUTO_EJECT_HOSTS, 0}, {MEMCACHED_BEHAVIOR_NUMBER_OF_REPLICAS, 0},
	};

	if (memcached_behavior_get(handle, MEMCACHED_BEHAVIOR_USE_UDP))
		memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_USE_UDP, 0);
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (memcached_behavior_get(handle, rules[i].behavior) != rules[i].value)
			memcached_behavior_set(handle, rules[i].behavior, rules[i].value);
	if (memcached_behavior_get(handle, MEMCACHED_BEHAVIOR_BINARY_PROTOCOL) !=
	    (protocol == WIRE_BINARY))
		memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_BINARY_PROTOCOL,
				       protocol == WIRE_BINARY);
}

static memcached_return_t handle_prepare(const struct wire *wire, memcached_st *handle,
					 enum wire_protocol protocol, int timeout_ms)
{
	memcached_return_t rc = MEMCACHED_SUCCESS;

	handle_rules(handle, protocol);
	handle_timeout(handle, timeout_ms);
	if (wire->options->prepare)
		rc = wire->options->prepare(wire->options->context, &wire->server,
					    protocol == WIRE_BINARY, handle);
	if (rc != MEMCACHED_SUCCESS)
		return rc;
	handle_rules(handle, protocol);
	return memcached_server_count(handle)
		   ? MEMCACHED_SUCCESS
		   : memcached_server_add(handle, wire->host, wire->port);
}

static void wire_fail(struct wire *wire, enum wire_protocol protocol, memcached_return_t rc)
{
	memcached_st *handle = wire->speaker[protocol].handle;

	(void)snprintf(wire->reason, sizeof(wire->reason), "%s",
		       rc == MEMCACHED_ERRNO ? strerror(memcached_last_error_errno(handle))
					     : memcached_strerror(handle, rc));
	speaker_close(&wire->speaker[protocol]);
}

/* The handle, made if there is none, with its time-outs set; NULL: the reason is noted. */
static memcached_st *wire_open(struct wire *wire, enum wire_protocol protocol, int timeout_ms)
{
	struct speaker *speaker = &wire->speaker[protocol];
	memcached_return_t rc;

	if (speaker->handle) {
		handle_timeout(speaker->handle, timeout_ms);
		return speaker->handle;
	}
	speaker->handle = memcached_create(NULL);
	if (!speaker->handle) {
		strcpy(wire->reason, "no memory for a handle");
		return NULL;
	}
	(void)memcached_result_create(speaker->handle, &speaker->result);
	speaker->socket_known = false;
	rc = handle_prepare(wire, speaker->handle, protocol, timeout_ms);
	if (rc != MEMCACHED_SUCCESS) {
		wire_fail(wire, protocol, rc);
		return NULL;
	}
	handle_timeout(speaker->handle, timeout_ms);
	return speaker->handle;
}

/* ---- writes ---- */

static enum wire_answer wire_judge(struct wire *wire, enum wire_protocol protocol,
				   enum wire_command command, memcached_return_t rc)
{
	switch (rc) {
	case MEMCACHED_SUCCESS:
	case MEMCACHED_STORED:
	case MEMCACHED_DELETED:
	case MEMCACHED_END:
		return WIRE_DONE;
	case MEMCACHED_NOTFOUND:
		/* The binary protocol's word for what a replace or an append could not do. */
		return command == WIRE_REPLACE || command == WIRE_APPEND || command == WIRE_PREPEND
			   ? WIRE_NOT_STORED
			   : WIRE_MISS;
	case MEMCACHED_NOTSTORED:
		return WIRE_NOT_STORED;
	case MEMCACHED_DATA_EXISTS:
		return command == WIRE_CAS ? WIRE_EXISTS : WIRE_NOT_STORED;
	default:
		break;
	}
	wire_fail(wire, protocol, rc);
	/* The one such error that a well-formed incr can meet; the connection is gone all the same.
	 */
	if (rc == MEMCACHED_CLIENT_ERROR && (command == WIRE_INCR || command == WIRE_DECR))
		return WIRE_NOT_NUMBER;
	return WIRE_FAILED;
}

static memcached_return_t handle_send(memcached_st *handle, enum wire_command command,
				      struct wire_write *write)
{
	const struct mcr_pool_item *item = write->item;
	const char *key = item->key, *value = item->value ? item->value : "";
	const size_t key_bytes = item->key_bytes, bytes = item->value_bytes;

	switch (command) {
	case WIRE_SET:
		return memcached_set(handle, key, key_bytes, value, bytes, item->expiry,
				     item->flags);
	case WIRE_ADD:
		return memcached_add(handle, key, key_bytes, value, bytes, item->expiry,
				     item->flags);
	case WIRE_REPLACE:
		return memcached_replace(handle, key, key_bytes, value, bytes, item->expiry,
					 item->flags);
	case WIRE_APPEND:
		return memcached_append(handle, key, key_bytes, value, bytes, 0, 0);
	case WIRE_PREPEND:
		return memcached_prepend(handle, key, key_bytes, value, bytes, 0, 0);
	case WIRE_CAS:
		return memcached_cas(handle, key, key_bytes, value, bytes, item->expiry,
				     item->flags, write->cas);
	case WIRE_INCR:
		return memcached_increment(handle, key, key_bytes, write->by, &write->number);
	case WIRE_DECR:
		return memcached_decrement(handle, key, key_bytes, write->by, &write->number);
	case WIRE_TOUCH:
		return memcached_touch(handle, key, key_bytes, item->expiry);
	default:
		return memcached_delete(handle, key, key_bytes, 0);
	}
}

enum wire_answer mcr_wire_send(struct wire *wire, enum wire_command command,
			       struct wire_write *write, int timeout_ms)
{
	const enum wire_protocol protocol =
	    mcr_wire_protocol_for(write->item->key, write->item->key_bytes);
	memcached_st *handle = wire_open(wire, protocol, timeout_ms);

	if (!handle)
		return WIRE_FAILED;
	return wire_judge(wire, protocol, command, handle_send(handle, command, write));
}

/* ---- reads ---- */

void mcr_wire_ask(struct wire *wire, enum wire_protocol protocol, struct wire_query *const *queries,
		  unsigned count, int timeout_ms)
{
	struct speaker *speaker = &wire->speaker[protocol];
	const char *keys[ASKED_MAX];
	size_t lengths[ASKED_MAX];
	bool wants_token = false;
	memcached_st *handle;
	memcached_return_t rc;

	speaker->asked = false;
	for (unsigned i = 0; i < count; i++)
		queries[i]->answer = WIRE_FAILED;
	if (count > ASKED_MAX || !(handle = wire_open(wire, protocol, timeout_ms)))
		return;
	for (unsigned i = 0; i < count; i++) {
		keys[i] = queries[i]->key;
		lengths[i] = queries[i]->key_bytes;
		wants_token |= queries[i]->wants_token;
	}
	memcached_behavior_set(handle, MEMCACHED_BEHAVIOR_SUPPORT_CAS, wants_token);
	rc = memcached_mget(handle, keys, lengths, count);
	if (rc == MEMCACHED_SUCCESS)
		speaker->asked = true;
	else
		wire_fail(wire, protocol,
			  memcached_last_error(handle) != MEMCACHED_SUCCESS
			      ? memcached_last_error(handle)
			      : rc);
}

/* Answers come in the order of the queries; those that are left out have missed. */
static struct wire_query *query_answered(const struct speaker *speaker,
					 struct wire_query *const *queries, unsigned count,
					 unsigned *next)
{
	const char *key = memcached_result_key_value(&speaker->result);
	const size_t key_bytes = memcached_result_key_length(&speaker->result);

	while (*next < count) {
		struct wire_query *query = queries[(*next)++];

		if (query->key_bytes == key_bytes && memcmp(query->key, key, key_bytes) == 0)
			return query;
	}
	return NULL;
}

static bool value_take(struct wire *wire, struct speaker *speaker, struct wire_query *query)
{
	const size_t length = memcached_result_length(&speaker->result);
	char *bytes = NULL;

	if (length > COPIED_MAX) {
		bytes = memcached_result_take_value(&speaker->result);
	} else if (length) {
		bytes = malloc(length);
		if (bytes)
			memcpy(bytes, memcached_result_value(&speaker->result), length);
	}
	if (length && !bytes)
		return false;
	query->value->bytes = bytes;
	query->value->length = length;
	query->value->flags = memcached_result_flags(&speaker->result);
	if (query->wants_token)
		query->value->token = (struct mcr_pool_token){
		    memcached_result_cas(&speaker->result), wire->server.id};
	query->answer = WIRE_DONE;
	return true;
}

void mcr_wire_fetch(struct wire *wire, enum wire_protocol protocol,
		    struct wire_query *const *queries, unsigned count, int timeout_ms)
{
	struct speaker *speaker = &wire->speaker[protocol];
	memcached_return_t rc = MEMCACHED_SUCCESS;
	unsigned next = 0;

	if (!speaker->asked)
		return;
	speaker->asked = false;
	handle_timeout(speaker->handle, timeout_ms);
	while (memcached_fetch_result(speaker->handle, &speaker->result, &rc)) {
		struct wire_query *query = query_answered(speaker, queries, count, &next);

		if (!query || !value_take(wire, speaker, query)) {
			wire_fail(wire, protocol,
				  query ? MEMCACHED_MEMORY_ALLOCATION_FAILURE
					: MEMCACHED_PROTOCOL_ERROR);
			return;
		}
	}
	/* libmemcached says "not found" also where the first answer was an error.  Only of
	 * "SERVER_ERROR out of memory" does it keep none: that is a miss to us too. */
	if (rc == MEMCACHED_NOTFOUND && memcached_last_error(speaker->handle) != MEMCACHED_SUCCESS)
		rc = memcached_last_error(speaker->handle);
	if (rc != MEMCACHED_END && rc != MEMCACHED_NOTFOUND) {
		wire_fail(wire, protocol, rc);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		if (queries[i]->answer == WIRE_FAILED)
			queries[i]->answer = WIRE_MISS;
}

int mcr_wire_socket(struct wire *wire, enum wire_protocol protocol)
{
	struct speaker *speaker = &wire->speaker[protocol];

	if (!speaker->asked)
		return -1;
	if (!speaker->socket_known) {
		speaker->socket =
		    mcr_socket_find(memcached_server_srcport(
					memcached_server_instance_by_position(speaker->handle, 0)),
				    wire->host, wire->port);
		speaker->socket_known = true;
	}
	return speaker->socket;
}

void mcr_wire_get(struct wire *wire, struct wire_query *query, int timeout_ms)
{
	const enum wire_protocol protocol = mcr_wire_protocol_for(query->key, query->key_bytes);

	mcr_wire_ask(wire, protocol, &query, 1, timeout_ms);
	mcr_wire_fetch(wire, protocol, &query, 1, timeout_ms);
}
