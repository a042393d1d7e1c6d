/* config_reload.c - what of a changed agent.conf a running agent takes over: see config.h.
 *
 * An option is in one of two places: in `fixed`, and a new value of it is refused, or in
 * config_reload, which takes it over.  What sockets, files and the segment were made from is fixed.
 */
#include "daemon/config.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#define FIXED(option, field)                                                                       \
	{                                                                                          \
		option, offsetof(struct config, field), sizeof(((struct config *)NULL)->field)     \
	}

/* Fields are zero behind what is in them, so bytes can be compared. */
static const struct {
	const char *option;
	size_t offset, bytes;
} fixed[] = {
    FIXED("cluster", cluster),
    FIXED("name", name),
    FIXED("listen", listen),
    FIXED("state-directory", state_directory),
    FIXED("control-socket", control_socket),
    FIXED("clients-socket", clients_socket),
    FIXED("clients-mode", clients_mode),
    FIXED("owed-max", owed_max),
    FIXED("owed-per-user", owed_per_user),
    FIXED("segment", segment),
    FIXED("trusted-keys or threshold", trust),
    FIXED("metrics", metrics),
    FIXED("discovery", discovery),
    FIXED("register", register_in),
    FIXED("etcd-endpoints", etcd.endpoints),
    FIXED("etcd-ca", etcd.ca),
    FIXED("etcd-cert", etcd.cert),
    FIXED("etcd-key", etcd.key),
    FIXED("etcd-user", etcd.user),
    FIXED("etcd-lease", etcd.lease_s),
    FIXED("a server section", servers_digest),
};

/* Secrets stand behind pointers; NULL: not given. */
static bool secret_same(const void *one, const void *other, size_t bytes)
{
	if (one == NULL || other == NULL)
		return one == other;
	return sodium_memcmp(one, other, bytes) == 0;
}

static bool text_same(const char *one, const char *other)
{
	if (one == NULL || other == NULL)
		return one == other;
	return strlen(one) == strlen(other) && sodium_memcmp(one, other, strlen(one)) == 0;
}

/* Their options are the same by the digest; passwords, certificates and keys stand in files. */
static bool logins_same(const struct mc_access_list *one, const struct mc_access_list *other)
{
	if (one->count != other->count)
		return false;
	for (uint32_t i = 0; i < one->count; i++)
		if (!text_same(one->named[i].access.login, other->named[i].access.login))
			return false;
	return true;
}

static void name_add(char names[FAILURE_BYTES], const char *name)
{
	const size_t used = strlen(names);

	(void)snprintf(names + used, FAILURE_BYTES - used, "%s%s", used > 0 ? ", " : "", name);
}

static void fixed_changed(const struct config *running, const struct config *next,
			  char names[FAILURE_BYTES])
{
	names[0] = '\0';
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (memcmp((const char *)running + fixed[i].offset,
			   (const char *)next + fixed[i].offset, fixed[i].bytes) != 0)
			name_add(names, fixed[i].option);
	if (memcmp(running->servers_digest, next->servers_digest, sizeof(next->servers_digest)) ==
	    0) {
		if (!logins_same(&running->access, &next->access))
			name_add(names, "a server's password");
		if (memcmp(running->tls_digest, next->tls_digest, sizeof(next->tls_digest)) != 0)
			name_add(names, "a server's certificates");
	}
	if (!text_same(running->etcd.password, next->etcd.password))
		name_add(names, "etcd's password");
}

/* `next` takes what there was, and wipes it with itself. */
static bool secret_swap(uint8_t **running, uint8_t **next)
{
	uint8_t *before = *running;

	if (secret_same(before, *next, LIST_HOST_KEY_BYTES))
		return false;
	*running = *next;
	*next = before;
	return true;
}

static bool keys_swap(struct config *running, struct config *next)
{
	bool changed = secret_swap(&running->psk, &next->psk);

	changed |= secret_swap(&running->previous_psk, &next->previous_psk);
	changed |= secret_swap(&running->host_secret, &next->host_secret);
	changed |= secret_swap(&running->previous_host_secret, &next->previous_host_secret);
	memcpy(running->host_public, next->host_public, sizeof(running->host_public));
	memcpy(running->previous_host_public, next->previous_host_public,
	       sizeof(running->previous_host_public));
	return changed;
}

int config_reload(struct config *running, struct config *next, const char *path, bool *keys_changed,
		  struct failure *failure)
{
	char names[FAILURE_BYTES], **on_change;

	fixed_changed(running, next, names);
	if (names[0] != '\0')
		return failure_set(failure, EINVAL,
				   "%s: found another value than the running agent has for %.300s: "
				   "that takes a restart, which clients do not notice",
				   path, names);
	*keys_changed = keys_swap(running, next);
	running->rate_keys = next->rate_keys;
	running->rate_bytes = next->rate_bytes;
	running->adaptive = next->adaptive;
	running->boot_wait_ms = next->boot_wait_ms;
	running->clients_per_user = next->clients_per_user;
	running->on_change_timeout_ms = next->on_change_timeout_ms;
	on_change = running->on_change; /* what is not used any more goes with `next` */
	running->on_change = next->on_change;
	next->on_change = on_change;
	return 0;
}
