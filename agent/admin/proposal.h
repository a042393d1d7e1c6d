/* proposal.h - the list that cluster.conf asks for next, and all that can be said of it before
 * anybody signs: what `plan` shows, `apply` has confirmed, and an edit of cluster.conf leads to.
 * Nothing is touched. */
#ifndef MCROSTER_ADMIN_PROPOSAL_H
#define MCROSTER_ADMIN_PROPOSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/cluster_conf.h"
#include "admin/forecast.h"
#include "admin/json.h"
#include "admin/link.h"
#include "admin/servers_ask.h"
#include "list/change.h"
#include "list/list.h"

/* What the command line says of it.  Nothing is owned but `giveups` itself. */
struct proposal_ask {
	const char *parent; /* a file; "none": there is none; NULL: the agent is asked */
	uint64_t epoch;	    /* 0: by itself */
	const char **giveups;
	uint32_t giveup_count;
	bool ask, no_ask; /* the servers what they hold; neither: where an agent is asked */
	bool has_rate_keys, has_rate_bytes;
	uint64_t rate_keys, rate_bytes;
};

/* Values for getopt_long, beside those of target.h. */
enum {
	PROPOSAL_PARENT = 0x200,
	PROPOSAL_EPOCH,
	PROPOSAL_GIVEUP,
	PROPOSAL_SERVERS,
	PROPOSAL_RATE_KEYS,
	PROPOSAL_RATE_BYTES
};

/* clang-format off */
#define PROPOSAL_OPTIONS_PARENT {"parent", required_argument, NULL, PROPOSAL_PARENT}
#define PROPOSAL_OPTIONS_GIVEUP {"giveup", required_argument, NULL, PROPOSAL_GIVEUP}
#define PROPOSAL_OPTIONS_FORECAST \
	{"ask", required_argument, NULL, PROPOSAL_SERVERS}, \
	{"rate-keys", required_argument, NULL, PROPOSAL_RATE_KEYS}, \
	{"rate-bytes", required_argument, NULL, PROPOSAL_RATE_BYTES}
#define PROPOSAL_OPTIONS_EPOCH {"epoch", required_argument, NULL, PROPOSAL_EPOCH}

#define PROPOSAL_USAGE_PARENT \
	"      --parent LIST         the active list, from a file ('none': there is none\n" \
	"                            yet); otherwise the agent is asked\n"
#define PROPOSAL_USAGE_GIVEUP \
	"      --giveup SERVER       a server that leaves is dead already: its keys\n" \
	"                            become misses; may be repeated\n"
#define PROPOSAL_USAGE_ASK_PARENT \
	"      --ask yes|no          ask the servers what they hold; by default yes, but\n" \
	"                            no with --parent\n"
#define PROPOSAL_USAGE_ASK \
	"      --ask yes|no          ask the servers what they hold (yes)\n"
#define PROPOSAL_USAGE_RATES \
	"      --rate-keys N         keys a second of one host's movers, 0 for no limit;\n" \
	"                            by default what the agent says of its own\n" \
	"      --rate-bytes N        the same in bytes of items\n"
#define PROPOSAL_USAGE_EPOCH \
	"      --epoch N             its epoch; by default the parent's and one\n"
/* clang-format on */

/* Room for what `argc` words can say.  -ENOMEM. */
int proposal_ask_new(int argc, struct proposal_ask *ask, struct failure *failure);
void proposal_ask_clear(struct proposal_ask *ask);
/* Takes an option that is one of ours: -1; or it has said what is wrong and returns the exit code.
 * -2: it is none of ours. */
int proposal_option(const char *command, struct proposal_ask *ask, int option,
		    const char *argument);

struct proposal {
	struct list *parent; /* NULL: it is the first list */
	struct list *next;
	bool same;		   /* `next` says what the parent does, so there is nothing to do */
	struct change *change;	   /* NULL: of the first list, or the same */
	struct forecast *forecast; /* NULL: the servers were not asked */
	bool first_asked;	   /* of the first list: what its servers hold is known */
	struct first_held held;
};

/* `link`: the agent, NULL where ask->parent says what is active.  conf->wanted gets the servers
 * given up.  -EINVAL or -ESTALE with the rule that forbids it, or as link.h. */
int proposal_make(struct link *link, const struct proposal_ask *ask, struct cluster_conf *conf,
		  struct proposal *proposal, struct failure *failure);
void proposal_clear(struct proposal *proposal);

/* For people; `conf` is the name of the file.  -ENOMEM. */
int proposal_say(const struct proposal *proposal, const char *conf, FILE *out,
		 struct failure *failure);
/* The members of an object.  -ENOMEM. */
int proposal_json(const struct proposal *proposal, struct json *json);

#endif
