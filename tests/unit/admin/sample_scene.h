/* sample_scene.h - a small cluster in a change, as an agent would show it: servers s1.. at
 * 10.0.0.1:11211.., each with its agent a1.. at 10.0.0.1:11280... */
#ifndef MCROSTER_TESTS_SAMPLE_SCENE_H
#define MCROSTER_TESTS_SAMPLE_SCENE_H

#include "admin/human.h"
#include "admin/next_list.h"
#include "admin/order_scene.h"
#include "scratch.h"

struct sample_conf {
	struct cluster_conf conf;
	struct list_agent agents[8];
	struct list_server servers[8];
};

static inline void sample_conf_make(struct sample_conf *sample, uint32_t count)
{
	struct list *wanted = &sample->conf.wanted;

	memset(sample, 0, sizeof(*sample));
	strcpy(wanted->cluster, "web");
	wanted->slot_count = 1024;
	wanted->lease_ms = 5000;
	wanted->steady_lease_ms = 60000;
	wanted->op_timeout_ms = 1000;
	wanted->registration_required = true;
	wanted->agents = sample->agents;
	wanted->servers = sample->servers;
	wanted->agent_count = wanted->server_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct list_agent *agent = &sample->agents[i];
		struct list_server *server = &sample->servers[i];

		(void)snprintf(agent->name, sizeof(agent->name), "a%u", i + 1);
		(void)snprintf(agent->address, sizeof(agent->address), "10.0.0.%u:11280", i + 1);
		agent->key[0] = (uint8_t)(i + 1);
		(void)snprintf(server->name, sizeof(server->name), "s%u", i + 1);
		(void)snprintf(server->address, sizeof(server->address), "10.0.0.%u:11211", i + 1);
		server->weight = 100;
		server->agent = i;
	}
}

static inline struct list *sample_list(const struct sample_conf *sample, const struct list *parent)
{
	struct list *list;

	ck_assert_msg(
	    next_list_make(&sample->conf, parent, parent == NULL ? 41 : 0, &list, &failure) == 0,
	    "%s", failure.text);
	return list;
}

/* Lists of `before` and, unless it is 0, of `after` servers. */
static inline void sample_lists(uint32_t before, uint32_t after, struct list **active,
				struct list **pending)
{
	struct sample_conf sample;

	sample_conf_make(&sample, before);
	*active = sample_list(&sample, NULL);
	*pending = NULL;
	sample_conf_make(&sample, after);
	if (after != 0)
		*pending = sample_list(&sample, *active);
}

/* The status of a coordinator a1 with these lists; `more` is appended, and what stands there
 * replaces what stands before it. */
static inline char *sample_status(const struct list *active, const struct list *pending,
				  const char *phase, const char *more)
{
	char active_hex[2 * LIST_HASH_BYTES + 1], pending_hex[2 * LIST_HASH_BYTES + 1] = "none";
	char *text;

	human_hex(active->hash, LIST_HASH_BYTES, active_hex);
	if (pending != NULL)
		human_hex(pending->hash, LIST_HASH_BYTES, pending_hex);
	ck_assert_int_ge(
	    asprintf(&text,
		     "agent a1\nversion 0.1.0\ncluster web\nepoch %u\nnext-epoch %u\nphase %s\n"
		     "settled %s\nterm 3\nserial 17\ncoordinator a1\nlease-ms-left 4200\n"
		     "isolated no\nreason \nview cluster\nactive %s\npending %s\n"
		     "change-keys-moved 1234\naborting no\ngiven-up \nexcused \nfailover \n%s",
		     (unsigned)active->epoch, pending == NULL ? 0 : (unsigned)pending->epoch, phase,
		     pending == NULL ? "yes" : "no", active_hex, pending_hex, more),
	    0);
	return text;
}

static inline int sample_scene_make(struct list *active, struct list *pending, const char *phase,
				    const char *more, struct order_scene *scene)
{
	char *text = sample_status(active, pending, phase, more);
	struct status *status;

	ck_assert_msg(status_parse(text, strlen(text), &status, &failure) == 0, "%s", failure.text);
	free(text);
	return order_scene_make(status, active, pending, scene, &failure);
}

/* From `before` to `after` servers. */
static inline void sample_scene(uint32_t before, uint32_t after, const char *phase,
				const char *more, struct order_scene *scene)
{
	struct list *active, *pending;

	sample_lists(before, after, &active, &pending);
	ck_assert_msg(sample_scene_make(active, pending, phase, more, scene) == 0, "%s",
		      failure.text);
}

#endif
