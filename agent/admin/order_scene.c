/* order_scene.c - see order_scene.h.  The lists are asked for by the hashes of the same status, so
 * that all parts belong to one register; an agent's word is checked as far as it can be. */
#include "admin/order_scene.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/list_source.h"

static int status_get(struct link *link, struct status **status, struct failure *failure)
{
	char *body;
	size_t body_bytes;
	int error = link_status_get(link, STATUS_CLUSTER, &body, &body_bytes, failure);

	if (error < 0)
		return error;
	error = status_parse(body, body_bytes, status, failure);
	free(body);
	return error;
}

int order_scene_fetch(struct link *link, struct order_scene *scene, struct failure *failure)
{
	struct status *status;
	struct list *active = NULL, *pending = NULL;
	int error = status_get(link, &status, failure);

	if (error < 0)
		return error;
	if (status->active.there)
		error = list_source_hash(link, status->active.bytes, &active, failure);
	if (error == 0 && status->pending.there)
		error = list_source_hash(link, status->pending.bytes, &pending, failure);
	if (error == 0)
		return order_scene_make(status, active, pending, scene, failure);
	status_free(status);
	list_free(active);
	return error;
}

static int binding_make(const struct status *status, struct order_binding *binding,
			struct failure *failure)
{
	const int phase = phase_find(status->phase, strlen(status->phase));

	memset(binding, 0, sizeof(*binding));
	if (status->term == 0)
		return failure_set(failure, ENOENT,
				   "agent %s has no register yet: nothing was "
				   "ever decided that it knows of",
				   status->agent);
	if (!status->active.there)
		return failure_set(failure, ENOENT,
				   "agent %s, version %s, does not say which list is active: it "
				   "knows no orders",
				   status->agent, status->version);
	if (phase < 0 || (phase == PHASE_STEADY) == status->pending.there)
		return failure_set(failure, EBADMSG,
				   "agent %s says phase %s with%s a pending list: that cannot be",
				   status->agent, status->phase,
				   status->pending.there ? "" : "out");
	memcpy(binding->active, status->active.bytes, LIST_HASH_BYTES);
	binding->has_pending = status->pending.there;
	memcpy(binding->pending, status->pending.bytes, LIST_HASH_BYTES);
	if (!binding->has_pending)
		memset(binding->pending, 0, LIST_HASH_BYTES);
	binding->term = status->term;
	binding->serial = status->serial;
	binding->has_phase = true;
	binding->phase = (enum phase)phase;
	return 0;
}

int order_scene_make(struct status *status, struct list *active, struct list *pending,
		     struct order_scene *scene, struct failure *failure)
{
	int error;

	memset(scene, 0, sizeof(*scene));
	scene->status = status;
	scene->active = active;
	scene->pending = pending;
	error = binding_make(status, &scene->binding, failure);
	if (error == 0 && strcmp(status->cluster, active->cluster) != 0)
		error = failure_set(failure, EBADMSG,
				    "agent %s of the cluster %s gave a list of the cluster %s",
				    status->agent, status->cluster, active->cluster);
	if (error == 0)
		error = change_new(active, pending, &scene->change, failure);
	if (error < 0)
		order_scene_clear(scene);
	return error;
}

void order_scene_clear(struct order_scene *scene)
{
	change_free(scene->change);
	list_free(scene->active);
	list_free(scene->pending);
	status_free(scene->status);
	memset(scene, 0, sizeof(*scene));
}

bool order_scene_led(const struct order_scene *scene)
{
	return scene->status->cluster_view && scene->status->lease_left_ms >= 0;
}
