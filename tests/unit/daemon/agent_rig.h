/* agent_rig.h - one agent in this process with a state directory of its own, and signed lists for
 * it.
 */
#ifndef MCROSTER_TESTS_AGENT_RIG_H
#define MCROSTER_TESTS_AGENT_RIG_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <sodium.h>

#include "daemon/agent.h"
#include "list/slots.h"

static struct config config;
static struct event_base *base;
static struct agent *agent;
static char directory[64];
static uint8_t operator_public[DOCUMENT_KEY_BYTES], operator_secret[DOCUMENT_SECRET_BYTES];
static bool told_ready;
/* Of lists that are made: a second agent, that nobody starts; slots that s0 loses to s1. */
static bool rig_second_agent;
static uint32_t rig_moved;

/* ---- fixture ---- */

static inline void on_ready(struct agent *which)
{
	(void)which;
	told_ready = true;
}

static inline unsigned free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	(void)close(fd);
	return ntohs(address.sin_port);
}

static inline void agent_up(void)
{
	struct failure failure;

	told_ready = false;
	base = event_base_new();
	ck_assert_msg(agent_open(&config, base, on_ready, &agent, &failure) == 0, "%s",
		      failure.text);
}

static inline void agent_down(void)
{
	agent_close(agent);
	agent = NULL;
	event_base_free(base);
}

static inline void setup(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	memset(&config, 0, sizeof(config));
	(void)snprintf(directory, sizeof(directory), "/tmp/mcroster-agent.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(config.cluster, sizeof(config.cluster), "unit");
	(void)snprintf(config.name, sizeof(config.name), "a1");
	(void)snprintf(config.listen, sizeof(config.listen), "127.0.0.1:%u", free_port());
	(void)snprintf(config.state_directory, sizeof(config.state_directory), "%s/state",
		       directory);
	(void)snprintf(config.control_socket, sizeof(config.control_socket), "%s/control",
		       directory);
	(void)snprintf(config.segment, sizeof(config.segment), "/mcroster.unit.%d", (int)getpid());
	crypto_sign_keypair(operator_public, operator_secret);
	config.trust.count = config.trust.threshold = 1;
	memcpy(config.trust.keys[0], operator_public, sizeof(operator_public));
	config.host_secret = sodium_malloc(LIST_HOST_KEY_BYTES);
	config.psk = sodium_malloc(32);
	randombytes_buf(config.host_secret, LIST_HOST_KEY_BYTES);
	randombytes_buf(config.psk, 32);
	crypto_scalarmult_curve25519_base(config.host_public, config.host_secret);
	config.boot_wait_ms = 1000;
	agent_up();
}

static inline void teardown(void)
{
	char command[128];

	if (agent != NULL)
		agent_down();
	(void)shm_unlink(config.segment);
	sodium_free(config.host_secret);
	sodium_free(config.psk);
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

/* ---- a signed list of one agent and `servers` servers that nobody needs to reach ---- */

struct document {
	void *bytes;
	size_t length;
	uint8_t hash[LIST_HASH_BYTES];
};

static inline struct document document_make(uint64_t epoch, const uint8_t *parent,
					    const char *cluster)
{
	struct list_agent agents[2];
	struct list_server server[2];
	struct list list;
	struct document made;
	struct failure failure;
	size_t body_bytes;
	void *body;

	memset(&list, 0, sizeof(list));
	memset(agents, 0, sizeof(agents));
	memset(server, 0, sizeof(server));
	(void)snprintf(list.cluster, sizeof(list.cluster), "%s", cluster);
	list.epoch = epoch;
	list.has_parent = parent != NULL;
	if (parent != NULL)
		memcpy(list.parent, parent, LIST_HASH_BYTES);
	(void)snprintf(list.created, sizeof(list.created), "2026-11-22T10:00:00Z");
	list.lease_ms = 1000;
	list.steady_lease_ms = 2000;
	list.op_timeout_ms = 200;
	list.agent_count = rig_second_agent ? 2 : 1;
	list.agents = agents;
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(agents[i].name, sizeof(agents[i].name), "a%u", i + 1);
		(void)snprintf(agents[i].address, sizeof(agents[i].address), "%s",
			       i == 0 ? config.listen : "127.0.0.1:9");
		memcpy(agents[i].key, config.host_public, LIST_HOST_KEY_BYTES);
		agents[i].key[0] ^= (uint8_t)i;
	}
	list.server_count = 2;
	list.servers = server;
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(server[i].name, sizeof(server[i].name), "s%u", i);
		(void)snprintf(server[i].address, sizeof(server[i].address), "127.0.0.1:%u",
			       10 + i);
		server[i].weight = 1;
	}
	list.slot_count = LIST_SLOTS_MIN;
	list.slots = malloc(list.slot_count * sizeof(*list.slots));
	for (uint32_t i = 0; i < list.slot_count; i++)
		list.slots[i] = i < rig_moved ? 1 : (uint16_t)(i % 2);
	ck_assert_msg(list_write(&list, &body, &body_bytes, &failure) == 0, "%s", failure.text);
	document_hash(body, body_bytes, made.hash);
	ck_assert_int_eq(
	    document_sign(body, body_bytes, operator_secret, &made.bytes, &made.length, &failure),
	    0);
	free(body);
	free(list.slots);
	return made;
}

#endif
