/* fleet_rig.c - see fleet_rig.h. */
#include "fleet_rig.h"

#include <check.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <sodium.h>

#include "list/keys.h"

static unsigned free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	(void)close(fd);
	return ntohs(address.sin_port);
}

void fleet_new(struct fleet *fleet, uint32_t count)
{
	uint8_t psk[32];

	ck_assert_int_ge(sodium_init(), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	memset(fleet, 0, sizeof(*fleet));
	fleet->count = count;
	fleet->base = event_base_new();
	(void)snprintf(fleet->directory, sizeof(fleet->directory), "/tmp/mcroster-fleet.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(fleet->directory));
	crypto_sign_keypair(fleet->operator_public, fleet->operator_secret);
	randombytes_buf(psk, sizeof(psk));
	for (uint32_t i = 0; i < count; i++) {
		struct config *config = &fleet->at[i].config;

		(void)snprintf(config->cluster, sizeof(config->cluster), "unit");
		(void)snprintf(config->name, sizeof(config->name), "a%u", i);
		(void)snprintf(config->listen, sizeof(config->listen), "127.0.0.1:%u", free_port());
		(void)snprintf(config->state_directory, sizeof(config->state_directory), "%s/%u",
			       fleet->directory, i);
		(void)snprintf(config->control_socket, sizeof(config->control_socket),
			       "%s/%u.control", fleet->directory, i);
		(void)snprintf(config->segment, sizeof(config->segment), "/mcroster.fleet.%d.%u",
			       (int)getpid(), i);
		config->trust.count = config->trust.threshold = 1;
		memcpy(config->trust.keys[0], fleet->operator_public, DOCUMENT_KEY_BYTES);
		config->host_secret = sodium_malloc(LIST_HOST_KEY_BYTES);
		config->psk = sodium_malloc(sizeof(psk));
		randombytes_buf(config->host_secret, LIST_HOST_KEY_BYTES);
		memcpy(config->psk, psk, sizeof(psk));
		crypto_scalarmult_curve25519_base(config->host_public, config->host_secret);
		config->boot_wait_ms = 1000;
	}
}

void fleet_free(struct fleet *fleet)
{
	for (uint32_t i = 0; i < fleet->count; i++) {
		if (fleet->at[i].agent != NULL)
			fleet_down(fleet, i);
		(void)shm_unlink(fleet->at[i].config.segment);
		sodium_free(fleet->at[i].config.host_secret);
		sodium_free(fleet->at[i].config.psk);
	}
	event_base_free(fleet->base);
	fleet_shell("rm -rf %s", fleet->directory);
}

static void on_ready(struct agent *agent)
{
	(void)agent;
}

void fleet_up(struct fleet *fleet, uint32_t number)
{
	struct fleet_agent *at = &fleet->at[number];
	struct failure failure;

	ck_assert_msg(agent_open(&at->config, fleet->base, on_ready, &at->agent, &failure) == 0,
		      "%s", failure.text);
}

void fleet_down(struct fleet *fleet, uint32_t number)
{
	agent_close(fleet->at[number].agent);
	fleet->at[number].agent = NULL;
}

void fleet_forget(struct fleet *fleet, uint32_t number)
{
	ck_assert_ptr_null(fleet->at[number].agent);
	fleet_shell("rm -rf %s", fleet->at[number].config.state_directory);
	(void)shm_unlink(fleet->at[number].config.segment);
}

void fleet_path(const struct fleet *fleet, uint32_t number, const char *name, char path[256])
{
	(void)snprintf(path, 256, "%s/%s", fleet->at[number].config.state_directory, name);
}

void fleet_shell(const char *format, ...)
{
	char command[1024];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* ---- documents ---- */

static struct fleet_document sign(const struct fleet *fleet, void *body, size_t body_bytes)
{
	struct fleet_document made;
	struct failure failure;

	document_hash(body, body_bytes, made.hash);
	ck_assert_int_eq(document_sign(body, body_bytes, fleet->operator_secret, &made.bytes,
				       &made.length, &failure),
			 0);
	free(body);
	return made;
}

struct fleet_document fleet_list(struct fleet *fleet, uint64_t epoch,
				 const struct fleet_document *parent, uint32_t coordinator)
{
	struct list_agent agents[FLEET_MAX];
	struct list_server server;
	struct failure failure;
	uint16_t slots[LIST_SLOTS_MIN] = {0};
	struct list list;
	size_t body_bytes;
	void *body;

	memset(&list, 0, sizeof(list));
	memset(agents, 0, sizeof(agents));
	memset(&server, 0, sizeof(server));
	(void)snprintf(list.cluster, sizeof(list.cluster), "unit");
	list.epoch = epoch;
	list.has_parent = parent != NULL;
	if (parent != NULL)
		memcpy(list.parent, parent->hash, LIST_HASH_BYTES);
	(void)snprintf(list.created, sizeof(list.created), "2026-11-22T10:00:00Z");
	list.lease_ms = 600;
	list.steady_lease_ms = 1000;
	list.op_timeout_ms = 100;
	list.agent_count = fleet->count;
	list.agents = agents;
	for (uint32_t i = 0; i < fleet->count; i++) {
		const struct config *config = &fleet->at[i].config;

		memcpy(agents[i].name, config->name, sizeof(agents[i].name));
		memcpy(agents[i].address, config->listen, sizeof(agents[i].address));
		memcpy(agents[i].key, config->host_public, LIST_HOST_KEY_BYTES);
	}
	list.coordinator = list.coordinators[0] = coordinator;
	list.server_count = 1;
	list.servers = &server;
	(void)snprintf(server.name, sizeof(server.name), "s0");
	(void)snprintf(server.address, sizeof(server.address), "127.0.0.1:10");
	server.weight = 1;
	list.slot_count = LIST_SLOTS_MIN;
	list.slots = slots;
	ck_assert_msg(list_write(&list, &body, &body_bytes, &failure) == 0, "%s", failure.text);
	return sign(fleet, body, body_bytes);
}

struct fleet_document fleet_failover(struct fleet *fleet, const struct fleet_document *active,
				     uint64_t term, uint32_t target)
{
	struct list_identity identity;
	struct order order;
	struct failure failure;
	size_t body_bytes;
	void *body;

	memset(&order, 0, sizeof(order));
	memset(&identity, 0, sizeof(identity));
	(void)snprintf(order.cluster, sizeof(order.cluster), "unit");
	order.kind = ORDER_FAILOVER;
	(void)snprintf(order.created, sizeof(order.created), "2026-11-22T10:00:00Z");
	memcpy(order.binding.active, active->hash, LIST_HASH_BYTES);
	order.binding.term = term;
	order.target_count = 1;
	order.targets = &identity;
	memcpy(identity.name, fleet->at[target].config.name, sizeof(identity.name));
	memcpy(identity.address, fleet->at[target].config.listen, sizeof(identity.address));
	ck_assert_msg(order_write(&order, &body, &body_bytes, &failure) == 0, "%s", failure.text);
	return sign(fleet, body, body_bytes);
}

struct fleet_document fleet_rotate(struct fleet *fleet, uint64_t version,
				   uint8_t hash[LIST_HASH_BYTES])
{
	uint8_t secret[DOCUMENT_SECRET_BYTES];
	struct fleet_document once, made;
	struct failure failure;
	struct keys keys;
	size_t body_bytes;
	void *body;

	memset(&keys, 0, sizeof(keys));
	(void)snprintf(keys.cluster, sizeof(keys.cluster), "unit");
	keys.version = version;
	keys.has_parent = version > 1;
	memcpy(keys.parent, hash, LIST_HASH_BYTES);
	(void)snprintf(keys.created, sizeof(keys.created), "2026-11-22T10:00:00Z");
	keys.threshold = keys.key_count = 1;
	memcpy(secret, fleet->operator_secret, sizeof(secret));
	crypto_sign_keypair(fleet->operator_public, fleet->operator_secret);
	memcpy(keys.keys[0], fleet->operator_public, DOCUMENT_KEY_BYTES);
	ck_assert_msg(keys_write(&keys, &body, &body_bytes, &failure) == 0, "%s", failure.text);
	document_hash(body, body_bytes, hash);
	ck_assert_int_eq(
	    document_sign(body, body_bytes, secret, &once.bytes, &once.length, &failure), 0);
	made = sign(fleet, once.bytes, once.length);
	memcpy(made.hash, hash, LIST_HASH_BYTES);
	free(body);
	return made;
}

uint8_t fleet_offer(struct fleet *fleet, uint32_t number, const struct fleet_document *document,
		    char text[512])
{
	struct agent *agent = fleet->at[number].agent;
	bool relay;
	const uint8_t verdict =
	    agent_offer(agent, document->bytes, document->length, text, 512, &relay);

	agent_pump(agent);
	return relay ? VERDICT_LATER : verdict; /* it is not elected yet, or knows another */
}

void fleet_take(struct fleet *fleet, uint32_t number, const struct fleet_document *document)
{
	char text[512] = "";

	FLEET_UNTIL(fleet, fleet_offer(fleet, number, document, text) == VERDICT_ACCEPTED);
}

/* ---- running ---- */

void fleet_step(struct fleet *fleet)
{
	(void)event_base_loop(fleet->base, EVLOOP_ONCE);
}

void fleet_run(struct fleet *fleet, uint64_t for_ms)
{
	const uint64_t end_ms = clock_now_ms() + for_ms;

	while (clock_now_ms() < end_ms)
		fleet_step(fleet);
}

bool fleet_leads(const struct fleet *fleet, uint32_t number, uint64_t epoch)
{
	const struct agent *agent = fleet->at[number].agent;

	return agent != NULL && agent->coord.state == COORD_LEADING &&
	       agent->coord.reg.term >= agent->coord.answered_term &&
	       agent->coord.reg.epoch == epoch && agent->coord.reg.phase == PHASE_STEADY;
}

bool fleet_leased(const struct fleet *fleet, uint32_t number, uint64_t epoch)
{
	const struct agent *agent = fleet->at[number].agent;

	return agent != NULL && agent->host.published.epoch == epoch &&
	       agent->host.published.phase == PHASE_STEADY &&
	       !host_isolated(&agent->host, clock_now_ms());
}

static bool all_leased(const struct fleet *fleet, uint64_t epoch)
{
	for (uint32_t i = 0; i < fleet->count; i++)
		if (!fleet_leased(fleet, i, epoch))
			return false;
	return true;
}

struct fleet_document fleet_begin(struct fleet *fleet)
{
	struct fleet_document first = fleet_list(fleet, 1, NULL, 0);

	for (uint32_t i = 0; i < fleet->count; i++)
		fleet_up(fleet, i);
	fleet_take(fleet, 0, &first);
	FLEET_UNTIL(fleet, all_leased(fleet, 1));
	return first;
}
