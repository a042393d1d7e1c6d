/* list_follow.c - may one list come after another?
 *
 * Epochs only grow and each list names its parent's hash, so the lists of a cluster are one chain;
 * a server's identity is name and address together, so a rename in place is an error, not a move.
 */
#include "list/list.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <sodium.h>

static int parent_check(const struct list *next, const struct list *active, struct failure *failure)
{
	char wanted[2 * LIST_HASH_BYTES + 1], named[2 * LIST_HASH_BYTES + 1];

	if (active == NULL) {
		if (next->has_parent)
			return failure_set(failure, ESTALE,
					   "epoch %" PRIu64
					   " names a parent, but no list is active here: the first "
					   "list says `parent none`",
					   next->epoch);
		return 0;
	}
	(void)sodium_bin2hex(wanted, sizeof(wanted), active->hash, LIST_HASH_BYTES);
	if (!next->has_parent)
		return failure_set(failure, ESTALE,
				   "epoch %" PRIu64 " says `parent none`, but epoch %" PRIu64
				   " is active: its parent must be %s",
				   next->epoch, active->epoch, wanted);
	if (memcmp(next->parent, active->hash, LIST_HASH_BYTES) == 0)
		return 0;
	(void)sodium_bin2hex(named, sizeof(named), next->parent, LIST_HASH_BYTES);
	return failure_set(failure, ESTALE,
			   "epoch %" PRIu64 " was made from parent %s, but the active list (epoch "
			   "%" PRIu64 ") is %s: plan again from the active list",
			   next->epoch, named, active->epoch, wanted);
}

static int identity_check(const struct list *next, const struct list *active,
			  struct failure *failure)
{
	if (strcmp(next->cluster, active->cluster) != 0)
		return failure_set(failure, EINVAL,
				   "the list is for cluster `%s`, the active one for `%s`",
				   next->cluster, active->cluster);
	if (strcmp(next->prefix, active->prefix) != 0)
		return failure_set(failure, EINVAL,
				   "prefix `%s` differs from the active list's `%s`: it cannot be "
				   "changed",
				   next->prefix, active->prefix);
	for (uint32_t i = 0; i < next->server_count; i++)
		for (uint32_t j = 0; j < active->server_count; j++)
			if (strcmp(next->servers[i].address, active->servers[j].address) == 0 &&
			    strcmp(next->servers[i].name, active->servers[j].name) != 0)
				return failure_set(failure, EINVAL,
						   "server `%s` at %s is `%s` in the active list: "
						   "a server cannot be renamed at one address",
						   next->servers[i].name, next->servers[i].address,
						   active->servers[j].name);
	return 0;
}

static int giveups_check(const struct list *next, const struct list *active,
			 struct failure *failure)
{
	for (uint32_t i = 0; i < next->giveup_count; i++) {
		const struct list_identity *gone = &next->giveups[i];
		const int at = active == NULL ? -1 : list_server_find(active, gone->name);

		if (at < 0 || strcmp(active->servers[at].address, gone->address) != 0)
			return failure_set(failure, EINVAL,
					   "giveup `%s` at %s: the list before has no such server",
					   gone->name, gone->address);
	}
	return 0;
}

int list_may_follow(const struct list *next, const struct list *active, uint64_t highest_epoch,
		    struct failure *failure)
{
	int error;

	if (active != NULL && active->epoch > highest_epoch)
		highest_epoch = active->epoch;
	if (next->epoch <= highest_epoch)
		return failure_set(failure, ESTALE,
				   "epoch %" PRIu64 " is not greater than %" PRIu64
				   ", the highest accepted before (undone ones count)",
				   next->epoch, highest_epoch);
	error = parent_check(next, active, failure);
	if (error == 0 && active != NULL)
		error = identity_check(next, active, failure);
	if (error == 0)
		error = giveups_check(next, active, failure);
	return error;
}
