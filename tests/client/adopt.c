/* adopt.c - items of a fleet that its clients stored by a library of their own.
 *
 *     adopt store KEYS ADDRESS...
 *         through libmemcached with KETAMA_WEIGHTED, as such a client does
 *     adopt proxy KEYS SOCKET
 *         through a proxy that listens on a unix socket
 *     adopt find KEYS SEGMENT
 *         each where libmcroster says that it is, by one plain get at that server
 *
 * Prints how many; ends with 1 where one could not be stored or was not found.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <libmemcached/memcached.h>

#include "mcroster.h"
#include "net/address.h"

#define SERVERS_MAX 64u
#define LINE_MAX    256u

struct stream {
	FILE *in, *out;
};

static void end(const char *what)
{
	(void)fprintf(stderr, "adopt: %s\n", what);
	exit(1);
}

static size_t key_print(char key[32], unsigned number)
{
	return (size_t)snprintf(key, 32, "adopted:%u", number);
}

static struct stream stream_open(int fd, const struct sockaddr *address, socklen_t bytes)
{
	struct stream stream;

	if (fd < 0 || connect(fd, address, bytes) != 0)
		end("cannot connect");
	stream.in = fdopen(fd, "r");
	stream.out = fdopen(dup(fd), "w");
	if (stream.in == NULL || stream.out == NULL)
		end("out of memory");
	return stream;
}

static bool line_is(const struct stream *stream, const char *want)
{
	char line[LINE_MAX];

	return fgets(line, sizeof(line), stream->in) != NULL &&
	       strncmp(line, want, strlen(want)) == 0;
}

static unsigned library_store(unsigned keys, char **addresses, int count)
{
	memcached_st *library = memcached_create(NULL);
	unsigned stored = 0;

	(void)memcached_behavior_set(library, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
	for (int i = 0; i < count; i++) {
		char *colon = strrchr(addresses[i], ':');

		if (colon == NULL)
			end("not an address");
		*colon = '\0';
		(void)memcached_server_add(library, addresses[i], (in_port_t)atoi(colon + 1));
	}
	for (unsigned i = 0; i < keys; i++) {
		char key[32];
		const size_t bytes = key_print(key, i);

		stored += memcached_set(library, key, bytes, key, bytes, 0, 0) == MEMCACHED_SUCCESS;
	}
	memcached_free(library);
	return stored;
}

static unsigned proxy_store(unsigned keys, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stream proxy;
	unsigned stored = 0;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	proxy = stream_open(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&address,
			    sizeof(address));
	for (unsigned i = 0; i < keys; i++) {
		char key[32];
		const size_t bytes = key_print(key, i);

		(void)fprintf(proxy.out, "set %s 0 0 %zu\r\n%s\r\n", key, bytes, key);
		(void)fflush(proxy.out);
		stored += line_is(&proxy, "STORED\r\n");
	}
	return stored;
}

static bool item_found(const struct stream *server, const char *key)
{
	char value[LINE_MAX];

	(void)fprintf(server->out, "get %s\r\n", key);
	(void)fflush(server->out);
	(void)snprintf(value, sizeof(value), "%s\r\n", key);
	return line_is(server, "VALUE ") && line_is(server, value) && line_is(server, "END\r\n");
}

static struct stream server_open(struct mcr_reader *reader, uint32_t number)
{
	struct sockaddr_storage address;
	struct mcr_server server;
	socklen_t bytes;

	if (mcr_server(reader, NULL, number, &server) != MCR_OK ||
	    address_parse(server.address, &address, &bytes) != 0)
		end("a server without an address");
	return stream_open(socket(address.ss_family, SOCK_STREAM, 0),
			   (const struct sockaddr *)&address, bytes);
}

static unsigned owners_find(unsigned keys, const char *segment)
{
	struct stream servers[SERVERS_MAX] = {{0}};
	struct mcr *mcr;
	struct mcr_reader *reader;
	unsigned found = 0;

	if (mcr_open(segment, 0, &mcr) != MCR_OK || mcr_reader_new(mcr, &reader) != MCR_OK)
		end("cannot open the segment");
	for (unsigned i = 0; i < keys; i++) {
		uint32_t owner, next;
		char key[32];

		if (mcr_owner(reader, key, key_print(key, i), &owner, &next) != MCR_OK ||
		    owner != next || owner >= SERVERS_MAX)
			end("a key without one owner");
		if (servers[owner].in == NULL)
			servers[owner] = server_open(reader, owner);
		found += item_found(&servers[owner], key);
	}
	mcr_reader_free(reader);
	mcr_close(mcr);
	return found;
}

int main(int argc, char **argv)
{
	const unsigned keys = argc > 3 ? (unsigned)atoi(argv[2]) : 0;
	unsigned done;

	if (argc > 3 && strcmp(argv[1], "store") == 0) {
		done = library_store(keys, argv + 3, argc - 3);
	} else if (argc == 4 && strcmp(argv[1], "proxy") == 0) {
		done = proxy_store(keys, argv[3]);
	} else if (argc == 4 && strcmp(argv[1], "find") == 0) {
		done = owners_find(keys, argv[3]);
	} else {
		(void)fprintf(stderr, "usage: adopt store KEYS ADDRESS... | proxy KEYS SOCKET | "
				      "find KEYS SEGMENT\n");
		return 2;
	}
	(void)printf("%u of %u\n", done, keys);
	return done == keys ? 0 : 1;
}
