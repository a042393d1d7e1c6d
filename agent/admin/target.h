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

#define TARGET_USAGE                                                                               \
	"      --cluster NAME        the cluster: its control socket on this host is\n"            \
	"                            /run/mcroster/NAME.control\n"                                 \
	"      --agent PATH          another control socket\n"                                     \
	"      --agent ADDRESS --agent-key KEY --psk FILE\n"                                       \
	"                            a remote agent: its address and port, its public\n"           \
	"                            host key (base64 or file), the pre-shared key's file\n"

struct target {
	const char *agent, *agent_key, *psk, *cluster;
};

/* Takes an option that is one of ours. */
bool target_option(struct target *target, int option, const char *argument);

/* Was an agent named in any way? */
bool target_named(const struct target *target);

/* What was named, checked.  `cluster` is the name known from elsewhere (a list, cluster.conf), or
 * NULL.  Returns -1 when *peer is filled; otherwise it has said what is wrong and returns the exit
 * code. */
int target_peer(const char *command, const struct target *target, const char *cluster,
		struct link_peer *peer);

#endif
