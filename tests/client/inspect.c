/* inspect.c - a program: what really lies in the memcacheds of a cluster.
 *
 *   inspect --segment NAME [--also ADDRESS ...] [--way WAY ...]      (way.h)
 *
 * Dumps every server of the segment's list (and the addresses given: servers that have left), asks
 * each server for every key of its dump, and prints for each one line
 *   server NAME ADDRESS keys N misplaced N stubs N expired N evictions N
 * and at last `total keys N misplaced N stubs N expired N evictions N`.  keys: those that a `mg`
 * finds; expired: in the dump, but not found (the dump shows what has expired too); misplaced:
 * found on a server that does not own them (on an --also server: all); stubs: flag Z and size 0,
 * what a mover reserves.  Meant for a fleet at rest.  Exits 1 when a server could not be read.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "mcroster.h"
#include "way.h"

#define SERVERS_MAX  1024u
#define BATCH	     512u
#define LINE_BYTES   2048u
#define REPLY_WAIT_S 20
#define BUSY_TRIES   200

struct counts {
	uint64_t keys, misplaced, stubs, expired, evictions;
};

struct server {
	char name[MCR_NAME_MAX + 1];
	char address[MCR_ADDRESS_MAX + 1];
	bool left; /* not in the list: owns nothing */
};

struct peer {
	FILE *in, *out;
};

/* One server being read: the dump comes on one connection, each key is asked for on the other. */
struct reading {
	struct mcr_reader *reader;
	const struct server *server;
	struct peer dump, asked;
	bool misplaced[BATCH]; /* of the keys asked for and not yet answered */
	unsigned waiting;
	struct counts counts;
};

static int socket_connect(const char *address)
{
	char host[MCR_ADDRESS_MAX + 1], port[8];
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found;
	struct timeval wait = {.tv_sec = REPLY_WAIT_S};

	snprintf(host, sizeof(host), "%s", address[0] == '[' ? address + 1 : address);
	char *colon = strrchr(host, ':');
	if (!colon)
		return -1;
	*colon = '\0';
	if (colon > host && colon[-1] == ']')
		colon[-1] = '\0';
	snprintf(port, sizeof(port), "%u", (unsigned)way_port(address));
	if (getaddrinfo(host, way_port(address) ? port : colon + 1, &hints, &found))
		return -1;
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
			connect(fd, found->ai_addr, found->ai_addrlen))) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

static bool line_read(FILE *stream, char line[LINE_BYTES])
{
	if (!fgets(line, (int)LINE_BYTES, stream))
		return false;
	size_t length = strlen(line);
	if (!length || line[length - 1] != '\n')
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	return true;
}

static int peer_log_in(struct peer *peer, const char *address)
{
	const char *login = way_login(address);
	char line[LINE_BYTES];

	if (!login)
		return 0;
	fprintf(peer->out, "set login 0 0 %zu\r\n%s\r\n", strlen(login), login);
	fflush(peer->out);
	return line_read(peer->in, line) && strcmp(line, "STORED") == 0 ? 0 : -1;
}

static int peer_open(struct peer *peer, const char *address)
{
	int fd = socket_connect(address);

	if (fd < 0)
		return -1;
	peer->in = fdopen(fd, "r");
	peer->out = fdopen(dup(fd), "w");
	return peer->in && peer->out ? peer_log_in(peer, address) : -1;
}

static void peer_close(struct peer *peer)
{
	if (peer->in)
		fclose(peer->in);
	if (peer->out)
		fclose(peer->out);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The dump writes keys URI-encoded.  0: this is not one. */
static size_t key_decode(const char *text, unsigned char key[MCR_KEY_MAX])
{
	size_t length = 0;

	for (; *text && *text != ' '; text++) {
		int byte = (unsigned char)*text;
		if (length == MCR_KEY_MAX)
			return 0;
		if (byte == '%') {
			int high = hex(text[1]), low = high < 0 ? -1 : hex(text[2]);
			if (low < 0)
				return 0;
			byte = high * 16 + low;
			text += 2;
		}
		key[length++] = (unsigned char)byte;
	}
	return length;
}

static void base64_print(FILE *stream, const unsigned char *bytes, size_t length)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < length; i += 3) {
		uint32_t group = (uint32_t)bytes[i] << 16;
		if (i + 1 < length)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < length)
			group |= bytes[i + 2];
		fputc(digits[group >> 18 & 63], stream);
		fputc(digits[group >> 12 & 63], stream);
		fputc(i + 1 < length ? digits[group >> 6 & 63] : '=', stream);
		fputc(i + 2 < length ? digits[group & 63] : '=', stream);
	}
}

static void key_ask(FILE *stream, const unsigned char *key, size_t length)
{
	bool text = true;

	for (size_t i = 0; i < length; i++)
		text = text && key[i] > 0x20 && key[i] < 0x7f;
	fputs("mg ", stream);
	if (text)
		fwrite(key, 1, length, stream);
	else
		base64_print(stream, key, length);
	fputs(text ? " s\r\n" : " s b\r\n", stream);
}

/* Reads the answers to what was asked for. */
static int answers_read(struct reading *r)
{
	char line[LINE_BYTES];

	fflush(r->asked.out);
	for (unsigned i = 0; i < r->waiting; i++) {
		if (!line_read(r->asked.in, line)) {
			fprintf(stderr, "inspect: %s: no answer to mg\n", r->server->address);
			return -1;
		}
		if (strncmp(line, "EN", 2) == 0) {
			r->counts.expired++;
			continue;
		}
		if (strncmp(line, "HD ", 3) != 0) {
			fprintf(stderr, "inspect: %s: mg answered %s\n", r->server->address, line);
			return -1;
		}
		r->counts.keys++;
		if (r->misplaced[i])
			r->counts.misplaced++;
		if (strstr(line, " s0") && strstr(line, " Z"))
			r->counts.stubs++;
	}
	r->waiting = 0;
	return 0;
}

static int misplaced_find(struct reading *r, const unsigned char *key, size_t length,
			  bool *misplaced)
{
	uint32_t old_owner, new_owner;
	struct mcr_plan plan;
	struct mcr_server owner;

	*misplaced = true;
	if (r->server->left)
		return 0;
	int rc = mcr_owner(r->reader, key, length, &old_owner, &new_owner);
	if (rc == MCR_NOT_COVERED) {
		*misplaced = false;
		return 0;
	}
	if (!rc)
		rc = mcr_begin(r->reader, MCR_OP_GET, key, length, &plan);
	if (rc)
		return rc;
	rc = mcr_server(r->reader, &plan, new_owner, &owner);
	mcr_end(r->reader, &plan);
	*misplaced = strcmp(owner.address, r->server->address) != 0;
	return rc;
}

/* Takes the dump at full speed: while it waits for its reader memcached holds locks that a `mg`
 * needs. 0: all of it is in `spool`; 1: another crawl is running, try again. */
static int dump_take(struct reading *r, FILE *spool)
{
	char line[LINE_BYTES];

	fputs("lru_crawler metadump hash\r\n", r->dump.out);
	fflush(r->dump.out);
	while (line_read(r->dump.in, line)) {
		if (strcmp(line, "END") == 0)
			return 0;
		if (strncmp(line, "BUSY", 4) == 0)
			return 1;
		fprintf(spool, "%s\n", line);
	}
	fprintf(stderr, "inspect: %s: the dump broke off\n", r->server->address);
	return -1;
}

static int dump_walk(struct reading *r, FILE *spool)
{
	char line[LINE_BYTES];

	rewind(spool);
	while (line_read(spool, line)) {
		unsigned char key[MCR_KEY_MAX];
		size_t length = strncmp(line, "key=", 4) == 0 ? key_decode(line + 4, key) : 0;
		if (!length) {
			fprintf(stderr, "inspect: %s: metadump answered %s\n", r->server->address,
				line);
			return -1;
		}
		int rc = misplaced_find(r, key, length, &r->misplaced[r->waiting]);
		if (rc) {
			fprintf(stderr, "inspect: owner of %s: %s\n", line, mcr_strerror(rc));
			return -1;
		}
		key_ask(r->asked.out, key, length);
		if (++r->waiting == BATCH && answers_read(r))
			return -1;
	}
	return answers_read(r);
}

static int evictions_read(struct reading *r)
{
	char line[LINE_BYTES];

	fputs("stats\r\n", r->asked.out);
	fflush(r->asked.out);
	while (line_read(r->asked.in, line)) {
		if (strcmp(line, "END") == 0)
			return 0;
		sscanf(line, "STAT evictions %" SCNu64, &r->counts.evictions);
	}
	return -1;
}

static int server_read(struct mcr_reader *reader, const struct server *server,
		       struct counts *counts)
{
	struct reading r = {.reader = reader, .server = server};
	FILE *spool = tmpfile();
	int rc = -1;

	if (peer_open(&r.dump, server->address) || peer_open(&r.asked, server->address)) {
		fprintf(stderr, "inspect: %s: cannot connect: %s\n", server->address,
			strerror(errno));
		goto out;
	}
	if (!spool || evictions_read(&r))
		goto out;
	for (int tries = 0; tries < BUSY_TRIES; tries++) {
		rc = dump_take(&r, spool);
		if (rc <= 0)
			break;
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	}
	if (rc > 0)
		fprintf(stderr, "inspect: %s: its crawler stays busy\n", server->address);
	if (!rc)
		rc = dump_walk(&r, spool);
out:
	peer_close(&r.dump);
	peer_close(&r.asked);
	if (spool)
		fclose(spool);
	*counts = r.counts;
	return rc;
}

static void counts_print(const struct counts *c)
{
	printf(" keys %" PRIu64 " misplaced %" PRIu64 " stubs %" PRIu64 " expired %" PRIu64
	       " evictions %" PRIu64 "\n",
	       c->keys, c->misplaced, c->stubs, c->expired, c->evictions);
}

static int servers_inspect(struct mcr_reader *reader, const struct server *servers, unsigned count)
{
	struct counts total = {0};
	int rc = 0;

	for (unsigned i = 0; i < count; i++) {
		struct counts counts;
		if (server_read(reader, &servers[i], &counts))
			rc = 1;
		printf("server %s %s", servers[i].name, servers[i].address);
		counts_print(&counts);
		total.keys += counts.keys;
		total.misplaced += counts.misplaced;
		total.stubs += counts.stubs;
		total.expired += counts.expired;
		total.evictions += counts.evictions;
	}
	printf("total");
	counts_print(&total);
	return rc;
}

static int usage(void)
{
	fputs("usage: inspect --segment NAME [--also ADDRESS ...] [--way WAY ...]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"segment", required_argument, NULL, 's'},
						{"also", required_argument, NULL, 'a'},
						{"way", required_argument, NULL, 'w'},
						{NULL, 0, NULL, 0}};
	static struct server servers[SERVERS_MAX];
	static struct mcr_server listed[SERVERS_MAX];
	const char *segment = NULL, *also[16];
	unsigned also_count = 0, count = 0;
	struct mcr *mcr;
	struct mcr_reader *reader;
	struct mcr_info info;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			segment = optarg;
		else if (option == 'a' && also_count < 16)
			also[also_count++] = optarg;
		else if (option != 'w' || way_add(optarg))
			return usage();
	}
	if (!segment || optind != argc)
		return usage();

	int rc = mcr_open(segment, 0, &mcr);
	if (!rc)
		rc = mcr_reader_new(mcr, &reader);
	int found = rc ? rc : mcr_servers(reader, &info, listed, SERVERS_MAX);
	if (found < 0) {
		fprintf(stderr, "inspect: segment %s: %s\n", segment, mcr_strerror(found));
		return 1;
	}
	for (int i = 0; i < found && count < SERVERS_MAX; i++, count++) {
		memcpy(servers[count].name, listed[i].name, sizeof(listed[i].name));
		memcpy(servers[count].address, listed[i].address, sizeof(listed[i].address));
	}
	for (unsigned i = 0; i < also_count && count < SERVERS_MAX; i++, count++) {
		strcpy(servers[count].name, "(left)");
		snprintf(servers[count].address, sizeof(servers[count].address), "%s", also[i]);
		servers[count].left = true;
	}
	rc = servers_inspect(reader, servers, count);
	mcr_reader_free(reader);
	mcr_close(mcr);
	return rc;
}
