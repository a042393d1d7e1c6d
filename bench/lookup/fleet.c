/* fleet.c - see fleet.h. */
#include "fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "list/change.h"
#include "list/slots.h"
#include "mcroster_segment.h"

#define FLEET_PORT  11211u
#define REGISTER_MS 2000

static void slots_make(struct list *list, const struct list *parent)
{
	uint32_t *weight = bench_alloc(list->server_count, sizeof(*weight));
	struct failure failure = {{0}};

	list->slot_count = FLEET_SLOTS;
	list->slots = bench_alloc(list->slot_count, sizeof(*list->slots));
	for (uint32_t i = 0; i < list->server_count; i++)
		weight[i] = list->servers[i].weight;
	for (uint32_t i = 0; i < list->slot_count; i++)
		list->slots[i] = parent != NULL ? parent->slots[i] : SLOTS_NONE;
	if (slots_plan(list->slots, list->slot_count, weight, list->server_count, &failure) != 0)
		bench_end("%s", failure.text);
	free(weight);
}

void fleet_list_make(struct list *list, const struct fleet_kind *kind, uint32_t servers,
		     const struct list *parent)
{
	memset(list, 0, sizeof(*list));
	strcpy(list->cluster, "bench");
	list->epoch = parent != NULL ? parent->epoch + 1 : 1;
	list->distribution = kind->distribution;
	list->key_hash = kind->hash;
	list->lease_ms = 5000;
	list->steady_lease_ms = 60000;
	list->op_timeout_ms = 1000;
	list->registration_required = true;
	list->agent_count = 1;
	list->agents = bench_alloc(1, sizeof(*list->agents));
	strcpy(list->agents[0].name, "bench");
	strcpy(list->agents[0].address, "10.0.0.1:11280");
	list->server_count = servers;
	list->servers = bench_alloc(servers, sizeof(*list->servers));
	for (uint32_t i = 0; i < servers; i++) {
		struct list_server *server = &list->servers[i];

		(void)snprintf(server->name, sizeof(server->name), "cache%04u", i);
		(void)snprintf(server->address, sizeof(server->address), "10.0.%u.%u:%u",
			       1 + i / 250, 1 + i % 250, FLEET_PORT);
		server->weight = 1;
	}
	if (kind->distribution == DISTRIBUTION_SLOTS)
		slots_make(list, parent);
}

void fleet_list_free(struct list *list)
{
	free(list->slots);
	free(list->servers);
	free(list->agents);
}

struct mcr *fleet_client(const struct fleet *fleet, unsigned flags)
{
	struct mcr *mcr;
	int error = mcr_open(fleet->name, flags, &mcr);

	if (error == MCR_OK)
		error = mcr_register(mcr, REGISTER_MS);
	if (error != MCR_OK)
		bench_end("%s: %s", fleet->name, mcr_strerror(error));
	return mcr;
}

void fleet_open(struct fleet *fleet, const struct fleet_kind *kind, uint32_t servers)
{
	struct failure failure = {{0}};
	static unsigned number;

	memset(fleet, 0, sizeof(*fleet));
	fleet_list_make(&fleet->list, kind, servers, NULL);
	if (change_new(&fleet->list, NULL, &fleet->change, &failure) != 0)
		bench_end("%s", failure.text);
	number++;
	(void)snprintf(fleet->name, sizeof(fleet->name), "/mcroster.bench.%d.%u", (int)getpid(),
		       number);
	(void)snprintf(fleet->socket_path, sizeof(fleet->socket_path), "/tmp/mcroster.bench.%d.%u",
		       (int)getpid(), number);
	fleet->host = host_start(fleet->change, fleet->name, fleet->socket_path);
	fleet->mcr = fleet_client(fleet, 0);
	fleet->strict = fleet_client(fleet, MCR_STRICT);
}

void fleet_close(struct fleet *fleet)
{
	mcr_close(fleet->strict);
	mcr_close(fleet->mcr);
	host_stop(fleet->host);
	(void)unlink(fleet->socket_path);
	change_free(fleet->change);
	fleet_list_free(&fleet->list);
}

bool fleet_peer_agrees(const struct fleet_kind *kind)
{
	return (kind->distribution == DISTRIBUTION_KETAMA_WEIGHTED && kind->hash == MCR_HASH_MD5) ||
	       (kind->distribution == DISTRIBUTION_MODULA && kind->hash == MCR_HASH_ONE_AT_A_TIME);
}

memcached_st *fleet_peer_open(const struct list *list)
{
	const bool modula = list->distribution == DISTRIBUTION_MODULA;
	memcached_st *peer;

	if (list->server_count > FLEET_PEER_SERVERS_MAX && !modula)
		return NULL;
	peer = memcached_create(NULL);
	if (peer == NULL ||
	    (!modula && memcached_behavior_set(peer, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1) !=
			    MEMCACHED_SUCCESS))
		bench_end("libmemcached: out of memory");
	for (uint32_t i = 0; i < list->server_count; i++) {
		char host[LIST_ADDRESS_MAX + 1];

		memcpy(host, list->servers[i].address, sizeof(host));
		*strrchr(host, ':') = '\0';
		if (memcached_server_add_with_weight(peer, host, FLEET_PORT,
						     list->servers[i].weight) != MEMCACHED_SUCCESS)
			bench_end("libmemcached: %s", memcached_last_error_message(peer));
	}
	return peer;
}
