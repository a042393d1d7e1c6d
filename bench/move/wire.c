/* wire.c - see wire.h. */
#include "move/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "bench.h"
#include "net/address.h"

#define READ_BYTES (256u << 10)
#define FILL_BYTES (256u << 10)
#define GATHER_MAX (32u << 10)

int wire_dial(const char *address)
{
	struct sockaddr_storage to;
	socklen_t length;
	int fd, one = 1;

	if (address_parse(address, &to, &length) < 0)
		bench_end("%s is no address", address);
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		bench_end("socket: %s", strerror(errno));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&to, length) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

void wire_open(struct wire *wire, const char *address)
{
	*wire = (struct wire){.fd = wire_dial(address), .capacity = 2 * READ_BYTES};
	if (wire->fd < 0)
		bench_end("%s cannot be reached", address);
	wire->in = bench_alloc(1, wire->capacity);
}

void wire_close(struct wire *wire)
{
	(void)close(wire->fd);
	free(wire->in);
}

void wire_send(struct wire *wire, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t n = send(wire->fd, at, length, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			bench_end("send: %s", strerror(errno));
		at += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
}

/* A server answers a long pipeline in many small pieces.  To be woken for each costs more than what
 * is in it, so as many bytes are waited for as are sure to come: "EN\r\n" is the shortest reply. */
static void gather(struct wire *wire)
{
	size_t sure = wire->due > 0 ? (wire->due - 1) * 4 : 0, wanted = GATHER_MAX;
	int bytes;

	while (wanted > 1 && wanted > sure)
		wanted /= 2;
	if (wanted == wire->gathered || (wanted == 1 && wire->gathered == 0))
		return;
	bytes = (int)wanted;
	if (setsockopt(wire->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes)) < 0)
		bench_end("SO_RCVLOWAT: %s", strerror(errno));
	wire->gathered = wanted;
}

static void wire_read(struct wire *wire, size_t wanted)
{
	size_t left = wire->end - wire->at;
	ssize_t n;

	if (wire->at > 0 && wire->capacity - wire->end < wanted) {
		memmove(wire->in, wire->in + wire->at, left);
		wire->at = 0;
		wire->end = left;
	}
	if (wire->capacity - wire->end < wanted) {
		wire->capacity = 2 * (left + wanted);
		wire->in = realloc(wire->in, wire->capacity);
		if (wire->in == NULL)
			bench_end("out of memory");
	}
	gather(wire);
	n = recv(wire->fd, wire->in + wire->end, wire->capacity - wire->end, 0);
	if (n <= 0)
		bench_end("a memcached hung up");
	wire->end += (size_t)n;
}

struct mc_reply wire_reply(struct wire *wire)
{
	struct mc_reply reply;

	for (;;) {
		size_t used = 0, wanted = READ_BYTES;
		int whole = 0;

		if (wire->at < wire->end) {
			whole = mc_reply_parse(wire->in + wire->at, wire->end - wire->at,
					       MC_VALUE_MAX, &reply, &used);
			if (whole == 0 && used > wire->end - wire->at + wanted)
				wanted = used - (wire->end - wire->at);
		} else {
			wire->at = wire->end = 0;
		}
		if (whole < 0)
			bench_end("a memcached sent what is no reply");
		if (whole == 1) {
			wire->at += used;
			wire->due -= wire->due > 0;
			return reply;
		}
		wire_read(wire, wanted);
	}
}

void wire_key(uint64_t index, char key[WIRE_KEY_BYTES + 1])
{
	(void)snprintf(key, WIRE_KEY_BYTES + 1, "bench:user:%021llu", (unsigned long long)index);
}

void wire_fill(const char *address, uint64_t count, size_t value_bytes)
{
	size_t room = FILL_BYTES + value_bytes + 128, used = 0;
	char *commands = bench_alloc(1, room), key[WIRE_KEY_BYTES + 1];
	struct wire wire;

	wire_open(&wire, address);
	for (uint64_t i = 0; i < count; i++) {
		wire_key(i, key);
		used += (size_t)snprintf(commands + used, room - used, "ms %s %zu q\r\n", key,
					 value_bytes);
		memset(commands + used, 'a' + (int)(i % 26), value_bytes);
		used += value_bytes;
		memcpy(commands + used, "\r\n", 2);
		used += 2;
		if (used < FILL_BYTES)
			continue;
		wire_send(&wire, commands, used);
		used = 0;
	}
	wire_send(&wire, commands, used);
	wire_send(&wire, "mn\r\n", 4);
	if (wire_reply(&wire).code != MC_MN)
		bench_end("%s does not store the items", address);
	wire_close(&wire);
	free(commands);
	if (wire_stat(address, "curr_items") != count)
		bench_end("%s does not keep %llu items: give it more memory", address,
			  (unsigned long long)count);
}

void wire_empty(const char *address, uint64_t count)
{
	char command[WIRE_KEY_BYTES + 16], key[WIRE_KEY_BYTES + 1];
	struct wire wire;

	wire_open(&wire, address);
	for (uint64_t i = 0; i < count; i++) {
		wire_key(i, key);
		wire_send(&wire, command,
			  (size_t)snprintf(command, sizeof(command), "md %s q\r\n", key));
	}
	wire_send(&wire, "mn\r\n", 4);
	if (wire_reply(&wire).code != MC_MN || wire_stat(address, "curr_items") != 0)
		bench_end("%s does not delete the items", address);
	wire_close(&wire);
}

uint64_t wire_stat(const char *address, const char *wanted)
{
	uint64_t found = 0;
	struct mc_reply reply;
	struct wire wire;

	wire_open(&wire, address);
	wire_send(&wire, "stats\r\n", 7);
	while ((reply = wire_reply(&wire)).code == MC_LINE) {
		const char *name, *value;
		size_t name_bytes, value_bytes;

		if (mc_stat_parse(reply.text, reply.text_bytes, &name, &name_bytes, &value,
				  &value_bytes) == 0 &&
		    name_bytes == strlen(wanted) && memcmp(name, wanted, name_bytes) == 0)
			(void)mc_number_parse(value, value_bytes, &found);
	}
	wire_close(&wire);
	return found;
}
