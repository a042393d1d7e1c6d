/* target.c - see target.h.  Everything here comes from the command line and is judged here. */
#include "admin/target.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "admin/admin.h"
#include "admin/conf_rules.h"
#include "admin/keyfile.h"
#include "list/secretfile.h"

bool target_option(struct target *target, int option, const char *argument)
{
	switch (option) {
	case TARGET_AGENT:
		target->agent = argument;
		return true;
	case TARGET_AGENT_KEY:
		target->agent_key = argument;
		return true;
	case TARGET_PSK:
		target->psk = argument;
		return true;
	case TARGET_CLUSTER:
		target->cluster = argument;
		return true;
	default:
		return false;
	}
}

bool target_named(const struct target *target)
{
	return target->agent != NULL || target->cluster != NULL;
}

uint32_t target_clusters(const char *directory, char cluster[LIST_NAME_MAX + 1])
{
	static const char ending[] = ".control";
	DIR *opened = opendir(directory);
	const struct dirent *entry;
	uint32_t count = 0;

	if (opened == NULL)
		return 0;
	while ((entry = readdir(opened)) != NULL) {
		const size_t length = strlen(entry->d_name);
		char name[LIST_NAME_MAX + 1];

		if (length < sizeof(ending) || length - (sizeof(ending) - 1) > LIST_NAME_MAX ||
		    strcmp(entry->d_name + length - (sizeof(ending) - 1), ending) != 0)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)(length - (sizeof(ending) - 1)),
			       entry->d_name);
		if (!conf_name_valid(name))
			continue;
		count++;
		memcpy(cluster, name, sizeof(name));
	}
	(void)closedir(opened);
	return count;
}

static int peer_local(const char *command, const struct target *target, struct link_peer *peer)
{
	int length;

	if (target->agent_key != NULL || target->psk != NULL)
		return admin_usage(command,
				   "--agent-key and --psk are for a remote agent, given as "
				   "--agent ADDRESS:PORT");
	if (target->agent == NULL)
		length = snprintf(peer->path, sizeof(peer->path), TARGET_DIRECTORY "/%s.control",
				  peer->cluster);
	else
		length = snprintf(peer->path, sizeof(peer->path), "%s", target->agent);
	if (length <= 0 || (size_t)length >= sizeof(peer->path))
		return admin_usage(command, "--agent: a socket's path has 1 to %u bytes",
				   LINK_PATH_MAX);
	return -1;
}

static int peer_remote(const char *command, const struct target *target, struct link_peer *peer)
{
	struct failure failure;
	uint8_t *psk;
	int error;

	if (target->agent_key == NULL || target->psk == NULL)
		return admin_usage(command, "--agent %s needs --agent-key KEY and --psk FILE",
				   target->agent);
	if (peer->cluster[0] == '\0')
		return admin_usage(command, "--agent %s needs --cluster NAME", target->agent);
	(void)snprintf(peer->address, sizeof(peer->address), "%s", target->agent);
	error = keyfile_public_load(target->agent_key, peer->key, &failure);
	if (error == 0)
		error = secretfile_key_load(target->psk, &psk, &failure);
	if (error == 0) {
		memcpy(peer->psk, psk, sizeof(peer->psk));
		sodium_free(psk);
	}
	return error < 0 ? admin_fail(command, error, &failure) : -1;
}

int target_peer(const char *command, const struct target *target, const char *cluster,
		struct link_peer *peer)
{
	char sole[LIST_NAME_MAX + 1];
	struct failure failure;

	memset(peer, 0, sizeof(*peer));
	if (target->cluster != NULL && !conf_name_valid(target->cluster))
		return admin_usage(command, "--cluster '%s' is not a cluster's name",
				   target->cluster);
	if (target->cluster != NULL && cluster != NULL && strcmp(target->cluster, cluster) != 0)
		return admin_usage(command, "--cluster %s, but this is about the cluster %s",
				   target->cluster, cluster);
	if (target->cluster != NULL)
		cluster = target->cluster;
	if (cluster == NULL && target->agent == NULL) {
		const uint32_t count = target_clusters(TARGET_DIRECTORY, sole);

		if (count == 0)
			return admin_fail(
			    command,
			    failure_set(&failure, ENOENT,
					"no agent runs on this host: " TARGET_DIRECTORY
					" has no control socket ('systemctl status mcrosterd' says "
					"why; --agent names one elsewhere)"),
			    &failure);
		if (count > 1)
			return admin_usage(command,
					   "which agent? " TARGET_DIRECTORY " has those of %" PRIu32
					   " clusters; --cluster NAME or --agent PATH says it",
					   count);
		cluster = sole;
	}
	if (cluster != NULL)
		(void)snprintf(peer->cluster, sizeof(peer->cluster), "%s", cluster);
	if (target->agent == NULL || strchr(target->agent, '/') != NULL)
		return peer_local(command, target, peer);
	if (!list_address_valid(target->agent))
		return admin_usage(
		    command,
		    "--agent '%s': neither a path (with a '/') nor a numeric address "
		    "with a port",
		    target->agent);
	return peer_remote(command, target, peer);
}
