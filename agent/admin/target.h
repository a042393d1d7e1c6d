/* target.h - the options that say which agent is meant. */
#ifndef MCROSTER_ADMIN_TARGET_H
#define MCROSTER_ADMIN_TARGET_H

#include <getopt.h>
#include <stdbool.h>

#include "admin/link.h"
#include "list/failure.h"

/* Values for getopt_long, above any letter. */
enum { TARGET_AGENT = 0x100, TARGET_AGENT_KEY, TARGET_PSK, TARGET_CLUSTER };

/* clang-format off */
#define TARGET_OPTIONS \
	{"agent", required_argument, NULL, TARGET_AGENT}, \
	{"agent-key", required_argument, NULL, TARGET_AGENT_KEY}, \
	{"psk", required_argument, NULL, TARGET_PSK}, \
	{"cluster", required_argument, NULL, TARGET_CLUSTER}
/* clang-format on */

/* clang-format off */
#define TARGET_USAGE \
	"      --cluster NAME        the cluster whose agent on this host is asked; not\n" \
	"                            needed where there is but one\n" \
	"      --agent PATH          the agent's control socket, where it is not\n" \
	"                            /run/mcroster/NAME.control, or ADDRESS:PORT of a\n" \
	"                            remote agent, with the two that follow\n" \
	"      --agent-key KEY       its public host key: base64, or the file of it\n" \
	"      --psk FILE            the file of the cluster's pre-shared key\n"
/* clang-format on */

struct target {
	const char *agent, *agent_key, *psk, *cluster;
};

/* Takes an option that is one of ours. */
bool target_option(struct target *target, int option, const char *argument);

/* Was an agent named in any way? */
bool target_named(const struct target *target);

/* How many clusters have a control socket in a directory; one of them. */
uint32_t target_clusters(const char *directory, char cluster[LIST_NAME_MAX + 1]);
#define TARGET_DIRECTORY "/run/mcroster"

/* What was named, checked.  `cluster` is the name known from elsewhere (a list, cluster.conf), or
 * NULL: then it is the sole one of this host.  Returns -1 when *peer is filled; otherwise it has
 * said what is wrong and returns the exit code. */
int target_peer(const char *command, const struct target *target, const char *cluster,
		struct link_peer *peer);

#endif
