/* render.c - see render.h.
 *
 * A program that chooses servers by itself is given a configuration only where it chooses the same
 * ones: so clients of it and clients of mcroster find each other's keys.  Where it cannot, by no
 * list, that is a caution.
 */
#include "admin/render.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "admin/human.h"
#include "admin/json.h"
#include "list/distribution.h"

/* host:port of an address, the brackets of IPv6 left out. */
struct place {
	char host[LIST_ADDRESS_MAX + 1];
	const char *port;
};

static struct place place_of(const struct list_server *server)
{
	const char *colon = strrchr(server->address, ':');
	const char *host = server->address;
	size_t bytes = (size_t)(colon - host);
	struct place place = {.port = colon + 1};

	if (host[0] == '[') {
		host++;
		bytes -= 2;
	}
	memcpy(place.host, host, bytes);
	return place;
}

static int refuse(const struct list *list, const char *program, const char *can,
		  struct failure *failure)
{
	char text[DISTRIBUTION_TEXT_BYTES];

	distribution_print(list->distribution, list->key_hash, list->slot_count, text);
	return failure_set(failure, EINVAL, "distribution %s: %s cannot do that, %s", text, program,
			   can);
}

static int json_render(const struct list *list, FILE *out, struct failure *failure)
{
	char text[DISTRIBUTION_TEXT_BYTES];
	struct json json;

	(void)failure;
	distribution_print(list->distribution, list->key_hash, list->slot_count, text);
	json_begin(&json, out);
	json_object_open(&json, NULL);
	json_string(&json, "cluster", list->cluster);
	json_unsigned(&json, "epoch", list->epoch);
	json_hex(&json, "hash", list->hash, sizeof(list->hash));
	json_string(&json, "distribution", text);
	json_array_open(&json, "servers");
	for (uint32_t i = 0; i < list->server_count; i++) {
		const struct list_server *server = &list->servers[i];
		struct place place = place_of(server);

		json_object_open(&json, NULL);
		json_string(&json, "name", server->name);
		json_string(&json, "address", server->address);
		json_string(&json, "host", place.host);
		json_string(&json, "port", place.port);
		json_unsigned(&json, "weight", server->weight);
		if (server->label[0] != '\0')
			json_string(&json, "label", server->label);
		json_object_close(&json);
	}
	json_array_close(&json);
	json_object_close(&json);
	json_end(&json);
	return 0;
}

/* For `. FILE` in a shell and for systemd's EnvironmentFile: nothing in it needs more than quotes.
 */
static int env_render(const struct list *list, FILE *out, struct failure *failure)
{
	char text[DISTRIBUTION_TEXT_BYTES];

	(void)failure;
	distribution_print(list->distribution, list->key_hash, list->slot_count, text);
	(void)fprintf(out, "MCROSTER_CLUSTER=\"%s\"\nMCROSTER_EPOCH=\"%" PRIu64 "\"\n",
		      list->cluster, list->epoch);
	(void)fprintf(out, "MCROSTER_DISTRIBUTION=\"%s\"\nMCROSTER_SERVERS=\"", text);
	for (uint32_t i = 0; i < list->server_count; i++)
		(void)fprintf(out, "%s%s", i > 0 ? " " : "", list->servers[i].address);
	(void)fputs("\"\n", out);
	return 0;
}

/* Within single quotes of YAML: a label is of any printable characters. */
static void yaml_quoted(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			(void)fputc('\'', out);
		(void)fputc(*text, out);
	}
}

static int twemproxy_render(const struct list *list, FILE *out, struct failure *failure)
{
	if (list->distribution != DISTRIBUTION_KETAMA_WEIGHTED)
		return refuse(list, "twemproxy", "only 'ketama-weighted HASH'", failure);
	(void)fprintf(out,
		      "%s:\n  listen: 127.0.0.1:22121\n  hash: %s\n  distribution: ketama\n"
		      "  timeout: %" PRIu32 "\n  auto_eject_hosts: false\n  servers:\n",
		      list->cluster, distribution_hash_name(list->key_hash), list->op_timeout_ms);
	for (uint32_t i = 0; i < list->server_count; i++) {
		const struct list_server *server = &list->servers[i];
		struct place place = place_of(server);

		/* A name would take the address's place in its ring, so there is only a label.  It
		 * takes what stands before the last two colons for the host. */
		(void)fprintf(out, "   - '%s:%s:%" PRIu32 "%s", place.host, place.port,
			      server->weight, server->label[0] != '\0' ? " " : "");
		yaml_quoted(out, server->label);
		(void)fputs("'\n", out);
	}
	return 0;
}

static int mcrouter_render(const struct list *list, FILE *out, struct failure *failure)
{
	struct json json;

	(void)failure;
	json_begin(&json, out);
	json_object_open(&json, NULL);
	json_object_open(&json, "pools");
	json_object_open(&json, list->cluster);
	json_array_open(&json, "servers");
	for (uint32_t i = 0; i < list->server_count; i++)
		json_string(&json, NULL, list->servers[i].address);
	json_array_close(&json);
	json_object_close(&json);
	json_object_close(&json);
	json_object_open(&json, "route");
	json_string(&json, "type", "PoolRoute");
	json_string(&json, "pool", list->cluster);
	json_object_close(&json);
	json_object_close(&json);
	json_end(&json);
	return 0;
}

/* What memcached's proxy has of its own.  With mcroster's routes it follows any list by itself, and
 * needs no other file for another list. */
static int proxy_render(const struct list *list, FILE *out, struct failure *failure)
{
	static const char *const pools[DISTRIBUTION_COUNT] = {
	    [DISTRIBUTION_PROXY_RING] = ", {dist = mcp.dist_ring_hash}",
	    [DISTRIBUTION_PROXY_RING_KETAMA] =
		", {dist = mcp.dist_ring_hash, omode = \"ketama\", hash = mcp.dist_ring_hash.hash}",
	    [DISTRIBUTION_PROXY_RING_TWEMPROXY] = ", {dist = mcp.dist_ring_hash, omode = "
						  "\"twemproxy\", hash = mcp.dist_ring_hash.hash}",
	    [DISTRIBUTION_PROXY_RING_EVCACHE] = ", {dist = mcp.dist_ring_hash, omode = "
						"\"evcache\", hash = mcp.dist_ring_hash.hash}",
	    [DISTRIBUTION_PROXY_JUMP] = "",
	};
	const char *pool = pools[list->distribution];

	for (uint32_t i = 0; i < list->server_count; i++)
		if (list->servers[i].label[0] != '\0')
			return failure_set(
			    failure, EINVAL,
			    "server %s: memcached's proxy knows no label such as '%s'",
			    list->servers[i].name, list->servers[i].label);
	if (pool == NULL)
		return refuse(list, "memcached's proxy",
			      "only 'proxy-ring KIND' and 'proxy-jump'; with mcroster's routes it "
			      "follows every list (docs/proxy.md)",
			      failure);
	(void)fputs("function mcp_config_pools()\n\treturn mcp.pool({\n", out);
	for (uint32_t i = 0; i < list->server_count; i++) {
		struct place place = place_of(&list->servers[i]);

		(void)fprintf(out, "\t\tmcp.backend(\"%s\", \"%s\", \"%s\"),\n",
			      list->servers[i].name, place.host, place.port);
	}
	(void)fprintf(out, "\t}%s)\nend\n\n", pool);
	(void)fputs(
	    "function mcp_config_routes(pool)\n\tlocal route = mcp.funcgen_new()\n"
	    "\tlocal handle = route:new_handle(pool)\n"
	    "\troute:ready({f = function(rctx)\n"
	    "\t\treturn function(request) return rctx:enqueue_and_wait(request, handle) end\n"
	    "\tend})\n\tmcp.attach(mcp.CMD_ANY_STORAGE, route)\nend\n",
	    out);
	return 0;
}

/* Its weights end at 256. */
#define HAPROXY_WEIGHT_MAX 256u

static int haproxy_render(const struct list *list, FILE *out, struct failure *failure)
{
	uint32_t most = 1;

	(void)failure;
	for (uint32_t i = 0; i < list->server_count; i++)
		if (list->servers[i].weight > most)
			most = list->servers[i].weight;
	(void)fprintf(out,
		      "backend %s\n\tmode tcp\n\toption tcp-check\n\ttcp-check send version\\r\\n\n"
		      "\ttcp-check expect string VERSION\n",
		      list->cluster);
	for (uint32_t i = 0; i < list->server_count; i++) {
		const struct list_server *server = &list->servers[i];
		uint64_t weight = server->weight;

		if (most > HAPROXY_WEIGHT_MAX)
			weight = (weight * HAPROXY_WEIGHT_MAX + most - 1) / most;
		(void)fprintf(out, "\tserver %s %s weight %" PRIu64 " check\n", server->name,
			      server->address, weight);
	}
	return 0;
}

const struct render_format *render_find(const char *name)
{
	static const struct render_format formats[] = {
	    {"json", json_render, NULL},
	    {"env", env_render, NULL},
	    {"twemproxy", twemproxy_render, NULL},
	    {"memcached-proxy", proxy_render, NULL},
	    {"mcrouter", mcrouter_render,
	     "mcrouter chooses servers in a way of its own: its clients do not find the keys of "
	     "others"},
	    {"haproxy", haproxy_render,
	     "haproxy knows no keys: choose who may use this backend, or a server of it, yourself"},
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}
