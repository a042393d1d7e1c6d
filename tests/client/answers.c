/* answers.c - does a list with another program's distribution give that program's answers?
 *
 * Random lists, the same for the same seed, each with random keys:
 *
 *     answers libmemcached SEED LISTS
 *         against the installed library, by KETAMA_WEIGHTED and by modula
 *     answers pools SEED LISTS DIRECTORY ADDRESS...
 *         prints the configuration of a nutcracker (twemproxy) with a pool for each list, over
 *         memcacheds at these addresses; it listens in the directory
 *     answers nutcracker SEED LISTS DIRECTORY ADDRESS...
 *         stores keys through each of those pools and looks for each at its owner
 *
 * Prints what was compared; ends with 1 at the first answer that differs.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <libmemcached/memcached.h>

#include "list/routing.h"
#include "mcroster_segment.h"
#include "net/address.h"

#define SERVERS_MAX  60u
#define KEYS	     400u
#define KEY_MAX	     80u
#define WEIGHT_MAX   9u
#define REPLY_MAX    512u
#define BACKENDS_MAX 24u
#define VALUE	     "answer"

static uint64_t state;

static uint32_t below(uint32_t bound)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(((state >> 32) * bound) >> 32);
}

struct trial {
	struct list list;
	struct list_server servers[SERVERS_MAX];
	struct table table;
};

struct key {
	char text[KEY_MAX + 1];
	size_t bytes;
};

static void end(const char *what)
{
	(void)fprintf(stderr, "answers: %s\n", what);
	exit(1);
}

/* Printable or above 127: what the text protocol carries. */
static void key_make(struct key *key, uint32_t number)
{
	const uint32_t random_bytes = below(KEY_MAX - 12);

	key->bytes = (size_t)snprintf(key->text, sizeof(key->text), "%x:", number);
	for (uint32_t i = 0; i < random_bytes; i++) {
		const uint32_t byte = below(2) == 0 ? '!' + below(94) : 128 + below(128);

		key->text[key->bytes++] = (char)byte;
	}
	key->text[key->bytes] = '\0';
}

static void table_make(struct trial *trial)
{
	struct failure failure = {{0}};

	if (routing_make(&trial->list, NULL, 0, &trial->table, &failure) != 0)
		end(failure.text);
}

/* ---- libmemcached */

static const struct {
	uint32_t hash;
	uint64_t behavior;
} hashes[] = {
    {MCR_HASH_MD5, MEMCACHED_HASH_MD5},		  {MCR_HASH_ONE_AT_A_TIME, MEMCACHED_HASH_DEFAULT},
    {MCR_HASH_FNV1A_64, MEMCACHED_HASH_FNV1A_64}, {MCR_HASH_FNV1_64, MEMCACHED_HASH_FNV1_64},
    {MCR_HASH_FNV1_32, MEMCACHED_HASH_FNV1_32},	  {MCR_HASH_FNV1A_32, MEMCACHED_HASH_FNV1A_32},
    {MCR_HASH_CRC32, MEMCACHED_HASH_CRC},	  {MCR_HASH_JENKINS, MEMCACHED_HASH_JENKINS},
    {MCR_HASH_MURMUR, MEMCACHED_HASH_MURMUR},
};

#define HASHES ((uint32_t)(sizeof(hashes) / sizeof(hashes[0])))

static memcached_st *library_open(const struct trial *trial, uint32_t hash)
{
	memcached_st *library = memcached_create(NULL);

	if (library == NULL)
		end("out of memory");
	if (trial->list.distribution == DISTRIBUTION_KETAMA_WEIGHTED)
		(void)memcached_behavior_set(library, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
	else
		(void)memcached_behavior_set(library, MEMCACHED_BEHAVIOR_DISTRIBUTION,
					     MEMCACHED_DISTRIBUTION_MODULA);
	/* The default hash of both is what they have without a word. */
	if (hash != (trial->list.distribution == DISTRIBUTION_MODULA ? 1u : 0u) &&
	    memcached_behavior_set(library, MEMCACHED_BEHAVIOR_HASH, hashes[hash].behavior) !=
		MEMCACHED_SUCCESS)
		end("libmemcached refuses a hash");
	for (uint32_t i = 0; i < trial->list.server_count; i++) {
		const struct list_server *server = &trial->servers[i];
		char host[LIST_ADDRESS_MAX + 1];
		char *colon;

		(void)snprintf(host, sizeof(host), "%s", server->address);
		colon = strrchr(host, ':');
		*colon = '\0';
		if (memcached_server_add_with_weight(library, host, (in_port_t)atoi(colon + 1),
						     server->weight) != MEMCACHED_SUCCESS)
			end("libmemcached refuses a server");
	}
	return library;
}

static void library_compare(uint32_t number)
{
	const uint32_t hash = below(3) == 0 ? below(HASHES) : number % 2;
	const bool equal = below(3) == 0;
	struct trial trial = {.list = {.server_count = 1 + below(number % 4 == 0 ? SERVERS_MAX : 8),
				       .key_hash = hashes[hash].hash,
				       .distribution = number % 2 == 0
							   ? DISTRIBUTION_KETAMA_WEIGHTED
							   : DISTRIBUTION_MODULA}};
	memcached_st *library;

	trial.list.servers = trial.servers;
	for (uint32_t i = 0; i < trial.list.server_count; i++) {
		struct list_server *server = &trial.servers[i];

		(void)snprintf(server->address, sizeof(server->address), "10.%u.%u.%u:%u",
			       below(256), below(256), i + 1,
			       below(2) == 0 ? 11211 : 1 + below(65535));
		server->weight = equal ? 1 : 1 + below(WEIGHT_MAX);
	}
	table_make(&trial);
	library = library_open(&trial, hash);
	for (uint32_t i = 0; i < KEYS; i++) {
		uint32_t ours, theirs;
		struct key key;

		key_make(&key, i);
		ours = mcr_table_owner(&trial.table, key.text, key.bytes);
		theirs = memcached_generate_hash(library, key.text, key.bytes);
		if (ours != theirs) {
			(void)fprintf(stderr,
				      "list %u, %s %s, %u servers, key %u: server %u, libmemcached "
				      "says %u\n",
				      number, distribution_rules(trial.list.distribution)->name,
				      distribution_hash_name(trial.list.key_hash),
				      trial.list.server_count, i, ours, theirs);
			exit(1);
		}
	}
	memcached_free(library);
	routing_free(&trial.table);
}

/* ---- nutcracker */

struct stream {
	FILE *in, *out;
};

struct proxy {
	const char *directory;
	char **addresses;
	uint32_t count;
	struct stream backend[BACKENDS_MAX];
};

/* nutcracker numbers its servers in this order, whatever that of its file. */
static int name_compare(const void *left, const void *right)
{
	const struct list_server *a = left, *b = right;
	const size_t a_bytes = strlen(a->name), b_bytes = strlen(b->name);

	return a_bytes != b_bytes ? (a_bytes > b_bytes ? 1 : -1) : strcmp(a->name, b->name);
}

/* Without a name of its own it is called by its address, but for port 11211. */
static void server_name(struct list_server *server)
{
	char *colon;

	(void)snprintf(server->name, sizeof(server->name), "%s",
		       server->label[0] != '\0' ? server->label : server->address);
	colon = strrchr(server->name, ':');
	if (colon != NULL && strcmp(colon, ":11211") == 0)
		*colon = '\0';
}

/* Pool `number`: some of the backends in some order, each with its own name or without. */
static void pool_make(struct trial *trial, const struct proxy *proxy, uint32_t number)
{
	uint32_t left[BACKENDS_MAX], count = proxy->count;
	const bool weighted = number % 5 != 3, named = below(3) == 0;

	memset(trial, 0, sizeof(*trial));
	trial->list.servers = trial->servers;
	trial->list.distribution = weighted ? DISTRIBUTION_KETAMA_WEIGHTED : DISTRIBUTION_MODULA;
	trial->list.key_hash = MCR_HASH_MD5 + number % (MCR_HASH_LAST - MCR_HASH_XXH3);
	trial->list.server_count = 2 + below(count - 1);
	for (uint32_t i = 0; i < count; i++)
		left[i] = i;
	for (uint32_t i = 0; i < trial->list.server_count; i++) {
		struct list_server *server = &trial->servers[i];
		const uint32_t at = below(count);

		(void)snprintf(server->address, sizeof(server->address), "%s",
			       proxy->addresses[left[at]]);
		server->agent = left[at]; /* which backend it is */
		left[at] = left[--count];
		server->weight = weighted ? 1 + below(WEIGHT_MAX) : 1;
		if (named && weighted)
			(void)snprintf(server->label, sizeof(server->label), "cache-%u.example",
				       below(1000000));
		server_name(server);
	}
	qsort(trial->servers, trial->list.server_count, sizeof(trial->servers[0]), name_compare);
	table_make(trial);
}

static void pool_print(const struct trial *trial, const struct proxy *proxy, uint32_t number)
{
	(void)printf("pool%u:\n  listen: %s/pool%u.sock 0600\n  hash: %s\n  distribution: %s\n"
		     "  timeout: 20000\n  server_connections: 1\n  servers:\n",
		     number, proxy->directory, number, distribution_hash_name(trial->list.key_hash),
		     trial->list.distribution == DISTRIBUTION_MODULA ? "modula" : "ketama");
	for (uint32_t i = 0; i < trial->list.server_count; i++)
		(void)printf(
		    "   - %s:%u%s%s\n", trial->servers[i].address, trial->servers[i].weight,
		    trial->servers[i].label[0] != '\0' ? " " : "", trial->servers[i].label);
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

static void stream_close(struct stream *stream)
{
	(void)fclose(stream->in);
	(void)fclose(stream->out);
}

static struct stream pool_open(const struct proxy *proxy, uint32_t number)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/pool%u.sock",
		       proxy->directory, number);
	return stream_open(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&address,
			   sizeof(address));
}

static struct stream backend_open(const char *text)
{
	struct sockaddr_storage address;
	socklen_t bytes = 0;

	if (address_parse(text, &address, &bytes) != 0)
		end("not an address");
	return stream_open(socket(address.ss_family, SOCK_STREAM, 0),
			   (const struct sockaddr *)&address, bytes);
}

static void reply_want(const struct stream *stream, const char *want, uint32_t pool)
{
	char reply[REPLY_MAX];

	if (fgets(reply, sizeof(reply), stream->in) == NULL ||
	    strncmp(reply, want, strlen(want)) != 0) {
		(void)fprintf(stderr, "pool %u: not `%s`\n", pool, want);
		exit(1);
	}
}

static void pool_compare(struct proxy *proxy, uint32_t number)
{
	struct key keys[KEYS];
	struct trial trial;
	struct stream pool;

	pool_make(&trial, proxy, number);
	pool = pool_open(proxy, number);
	for (uint32_t i = 0; i < KEYS; i++)
		key_make(&keys[i], number << 16 | i);
	for (uint32_t i = 0; i < KEYS; i++)
		(void)fprintf(pool.out, "set %s 0 0 %zu\r\n" VALUE "\r\n", keys[i].text,
			      strlen(VALUE));
	(void)fflush(pool.out);
	for (uint32_t i = 0; i < KEYS; i++)
		reply_want(&pool, "STORED\r\n", number);
	stream_close(&pool);
	for (uint32_t i = 0; i < KEYS; i++) {
		const uint32_t owner = mcr_table_owner(&trial.table, keys[i].text, keys[i].bytes);
		const struct stream *backend = &proxy->backend[trial.servers[owner].agent];

		(void)fprintf(backend->out, "get %s\r\n", keys[i].text);
		(void)fflush(backend->out);
		reply_want(backend, "VALUE ", number);
		reply_want(backend, VALUE "\r\n", number);
		reply_want(backend, "END\r\n", number);
	}
	routing_free(&trial.table);
}

int main(int argc, char **argv)
{
	const bool library = argc == 4 && strcmp(argv[1], "libmemcached") == 0;
	const bool print = argc > 6 && strcmp(argv[1], "pools") == 0;
	const bool proxied = argc > 6 && strcmp(argv[1], "nutcracker") == 0;
	struct proxy proxy = {0};
	uint32_t lists;

	if (!library && !print && !proxied) {
		(void)fprintf(stderr, "usage: answers libmemcached|pools|nutcracker SEED LISTS "
				      "[DIRECTORY ADDRESS...]\n");
		return 2;
	}
	lists = (uint32_t)atoi(argv[3]);
	if (!library) {
		proxy = (struct proxy){
		    .directory = argv[4], .addresses = argv + 5, .count = (uint32_t)argc - 5};
		if (proxy.count > BACKENDS_MAX)
			end("too many addresses");
	}
	for (uint32_t i = 0; proxied && i < proxy.count; i++)
		proxy.backend[i] = backend_open(proxy.addresses[i]);
	for (uint32_t i = 0; i < lists; i++) {
		struct trial trial;

		state = (uint64_t)atoll(argv[2]) << 32 | i;
		(void)below(1);
		if (library)
			library_compare(i);
		else if (proxied)
			pool_compare(&proxy, i);
		if (!print)
			continue;
		pool_make(&trial, &proxy, i);
		pool_print(&trial, &proxy, i);
		routing_free(&trial.table);
	}
	for (uint32_t i = 0; proxied && i < proxy.count; i++)
		stream_close(&proxy.backend[i]);
	if (!print)
		(void)printf("%u lists, %u keys each: the same answers\n", lists, KEYS);
	return 0;
}
