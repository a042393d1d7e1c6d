/* fuzz_owe.c - a stranger at the registration socket who has a key to hand over.
 *
 * The input is a list of messages, each a length (2 bytes, little-endian) and so many bytes.  They
 * are sent on one connection to the real socket, before the real queue with its journal.  A key is
 * taken exactly where one message came and each of its fields is as include/mcroster_clients.h
 * says; then it is on disk before that is said.  Whatever else comes is refused, and nothing of it
 * is kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/clients_inside.h"
#include "daemon/owed_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SERVERS	   3u
#define SLOTS	   1024u
#define GENERATION 7u
#define MESSAGES   4u
#define TURNS_MAX  1000u
/* The agent has nothing more to say, it has only not hung up. */
#define TURNS_IDLE 4u

static struct agent {
	struct event_base *base;
	struct owed_run *owed;
	struct clients_run *run;
	char directory[64], path[80], journal[80];
} agent;

static struct change_server servers[SERVERS];
static uint16_t owner[SLOTS];
static struct change change;

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void change_make(void)
{
	for (uint32_t i = 0; i < SERVERS; i++) {
		(void)snprintf(servers[i].name, sizeof(servers[i].name), "cache%02u", i);
		(void)snprintf(servers[i].address, sizeof(servers[i].address), "10.0.0.%u:11211",
			       i + 1);
		servers[i].weight = 100;
		servers[i].in_old = servers[i].in_new = true;
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		owner[i] = (uint16_t)(i % SERVERS);
	change.old_epoch = change.new_epoch = 41;
	change.parts = SLOTS;
	change.in_slots = true;
	change.server_count = SERVERS;
	change.servers = servers;
	change.old_table = change.new_table = table_of_slots(owner, SLOTS);
	change.op_timeout_ms = 1000;
}

static void on_changed(void *context)
{
	(void)context;
}

static void queue_begin(void)
{
	static const struct owed_limits limits = {4, 4};
	struct failure failure;

	owed_run_free(agent.owed);
	(void)unlink(agent.journal);
	must(owed_run_new(agent.base, agent.directory, &limits, NULL, &agent.owed, &failure) == 0);
	/* Without a lease: what is taken stays owed. */
	must(owed_run_phase(agent.owed, &change, PHASE_STEADY, GENERATION, 0) == 0);
}

static void agent_end(void)
{
	clients_run_free(agent.run);
	owed_run_free(agent.owed);
	event_base_free(agent.base);
	(void)unlink(agent.journal);
	(void)rmdir(agent.directory);
}

static void agent_begin(void)
{
	struct clients_options options = {
	    .path = agent.path, .mode = 0600, .cluster = "web", .per_uid = 8, .incarnation = 5};
	struct failure failure;

	if (agent.base != NULL)
		return;
	change_make();
	(void)snprintf(agent.directory, sizeof(agent.directory), "/dev/shm/mcroster-fuzz.%d",
		       (int)getpid());
	(void)snprintf(agent.path, sizeof(agent.path), "%s/clients", agent.directory);
	(void)snprintf(agent.journal, sizeof(agent.journal), "%s/owed", agent.directory);
	must(mkdir(agent.directory, 0700) == 0 || errno == EEXIST);
	agent.base = event_base_new();
	must(agent.base != NULL);
	queue_begin();
	options.owed = agent.owed;
	must(clients_run_new(agent.base, &options, on_changed, NULL, &agent.run, &failure) == 0);
	clients_run_published(agent.run, GENERATION, false, change.op_timeout_ms);
	(void)atexit(agent_end);
}

/* Each input finds it without anything owed. */
static void agent_renew(uint32_t keys)
{
	if (keys == 0)
		return;
	queue_begin();
	agent.run->options.owed = agent.owed;
}

/* ---- what may be taken ---- */

static bool text_whole(const char *text, size_t bytes)
{
	size_t length = strnlen(text, bytes);

	while (length < bytes && text[length] == '\0')
		length++;
	return length == bytes && text[bytes - 1] == '\0';
}

static bool server_is_one(const struct mcr_clients_owe *owe)
{
	if (owe->name[0] == '\0' || owe->address[0] == '\0')
		return owe->name[0] == owe->address[0];
	if (owe->head.generation != GENERATION)
		return true; /* who it was then nobody knows any more */
	for (uint32_t i = 0; i < SERVERS; i++)
		if (strcmp(owe->name, servers[i].name) == 0 &&
		    strcmp(owe->address, servers[i].address) == 0)
			return true;
	return false;
}

static bool is_honest(const struct mcr_clients_owe *owe)
{
	static const uint8_t nothing[sizeof(owe->key)];
	const uint32_t bytes = owe->head.code;

	return owe->head.type == MCR_CLIENTS_OWE && owe->head.version == MCR_CLIENTS_VERSION &&
	       owe->head.zero == 0 && strncmp(owe->head.text, "web", 4) == 0 &&
	       memchr(owe->head.text, '\0', sizeof(owe->head.text)) != NULL &&
	       owe->head.generation >= 1 && owe->head.generation <= GENERATION &&
	       text_whole(owe->name, sizeof(owe->name)) &&
	       text_whole(owe->address, sizeof(owe->address)) && server_is_one(owe) && bytes >= 1 &&
	       bytes <= MCR_KEY_MAX && owed_key_valid(owe->key, bytes) &&
	       memcmp(owe->key + bytes, nothing, sizeof(owe->key) - bytes) == 0;
}

static void must_be_on_disk(const struct mcr_clients_owe *owe)
{
	uint8_t bytes[4096];
	const int fd = open(agent.journal, O_RDONLY | O_CLOEXEC);
	const ssize_t got = read(fd, bytes, sizeof(bytes));

	must(got > 0 && memmem(bytes, (size_t)got, owe->key, owe->head.code) != NULL);
	(void)close(fd);
}

/* ---- the stranger ---- */

struct stranger {
	int fd;
	unsigned sent;
	struct mcr_clients_owe first;
	size_t first_bytes;
	bool taken, refused;
};

static void stranger_connect(struct stranger *stranger)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", agent.path);
	stranger->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	must(stranger->fd >= 0 &&
	     connect(stranger->fd, (struct sockaddr *)&address, sizeof(address)) == 0);
}

static void stranger_says(struct stranger *stranger, const uint8_t *data, size_t size)
{
	while (size >= 2 && stranger->sent < MESSAGES) {
		size_t length = (size_t)data[0] | (size_t)data[1] << 8;

		data += 2;
		size -= 2;
		length = length < size ? length : size;
		if (send(stranger->fd, data, length, MSG_NOSIGNAL) != (ssize_t)length)
			return;
		if (stranger->sent++ == 0) {
			stranger->first_bytes = length;
			memcpy(&stranger->first, data,
			       length < sizeof(stranger->first) ? length : sizeof(stranger->first));
		}
		data += length;
		size -= length;
	}
}

/* False: the agent has hung up. */
static bool stranger_hears(struct stranger *stranger, bool *anything)
{
	struct mcr_clients_message message;
	ssize_t got;

	*anything = false;
	while ((got = recv(stranger->fd, &message, sizeof(message), 0)) > 0) {
		*anything = true;
		must(got == sizeof(message) && message.version == MCR_CLIENTS_VERSION &&
		     message.incarnation == 5 && !stranger->taken && !stranger->refused);
		stranger->taken = message.type == MCR_CLIENTS_OWED;
		stranger->refused = message.type == MCR_CLIENTS_REFUSED;
		must(!stranger->refused || (message.code >= MCR_CLIENTS_OTHER_VERSION &&
					    message.code <= MCR_CLIENTS_NO_LIST));
	}
	return got < 0 && errno == EAGAIN;
}

static void stranger_listens(struct stranger *stranger)
{
	unsigned idle = 0;
	bool anything;

	for (unsigned turn = 0; idle < TURNS_IDLE; turn++) {
		must(turn < TURNS_MAX);
		(void)event_base_loop(agent.base, EVLOOP_NONBLOCK);
		if (!stranger_hears(stranger, &anything))
			return;
		idle = anything ? 0 : idle + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stranger stranger = {0};
	struct owed_status status;
	const char *trouble;
	bool honest;

	agent_begin();
	stranger_connect(&stranger);
	stranger_says(&stranger, data, size);
	stranger_listens(&stranger);
	owed_run_status(agent.owed, &status, &trouble);
	honest = stranger.first_bytes == sizeof(stranger.first) && is_honest(&stranger.first);
	must(!stranger.taken || honest);
	must(status.keys <= (honest ? 1 : 0));
	if (stranger.sent == 1)
		must(stranger.taken == honest);
	if (stranger.taken) {
		must(status.keys == 1);
		must_be_on_disk(&stranger.first);
	}
	(void)close(stranger.fd);
	(void)event_base_loop(agent.base, EVLOOP_NONBLOCK);
	agent_renew(status.keys);
	return 0;
}
