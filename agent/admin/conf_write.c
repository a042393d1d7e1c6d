/* conf_write.c - see conf_write.h.  The sample in etc/ is what this writes of its list, which a
 * test compares. */
#include "admin/conf_write.h"

#include <inttypes.h>
#include <string.h>

#define WEIGHT_DEFAULT 100u

static const char before_cluster[] =
    "# cluster.conf - what the cluster is to be.  mcadmin reads it; agents never do.\n"
    "#\n"
    "#   mcadmin plan cluster.conf                     say what would move\n"
    "#   mcadmin apply cluster.conf -k operator.key    make the cluster what this file says\n"
    "#\n"
    "# 'mcadmin add', 'remove', 'weight' and 'replace' change servers here and keep what else "
    "there is.\n"
    "\n"
    "# The name of the cluster: letters, digits, '.', '_' and '-'.  Required.\n";

static const char before_coordinator[] = "\n"
					 "# The agent that coordinates changes.  Required.\n";

static const char before_distribution[] =
    "\n"
    "# What follows stands at its default where it is commented out.\n"
    "\n"
    "# How keys are given to servers.  \"slots\" is mcroster's own: balanced to within one slot, "
    "and a change\n"
    "# moves the fewest keys there can be.  The others are for a fleet whose clients place keys "
    "already; each\n"
    "# gives their very answer, so that the cluster can be adopted without moving a key, and "
    "changed to\n"
    "# \"slots\" later, under load.\n"
    "#\n"
    "#   ketama-weighted HASH   libmemcached's KETAMA_WEIGHTED, twemproxy's ketama.  HASH is md5 "
    "(libmemcached's\n"
    "#                          default), fnv1a_64 (twemproxy's), fnv1_64, fnv1_32, fnv1a_32, "
    "one_at_a_time,\n"
    "#                          crc16, crc32, crc32a, hsieh, murmur or jenkins\n"
    "#   ketama                 libketama\n"
    "#   spymemcached           spymemcached with KETAMA_HASH, its default key form apart (see "
    "label)\n"
    "#   modula HASH            libmemcached's default is \"modula one_at_a_time\"; weights do not "
    "count.\n"
    "#                          twemproxy's modula is the same with its servers in the order of "
    "the\n"
    "#                          length of their names, then of the names, all of weight 1\n"
    "#   proxy-ring KIND        memcached's proxy with ring_hash; KIND is default, ketama, "
    "twemproxy or evcache;\n"
    "#                          weights do not count\n"
    "#   proxy-jump             memcached's proxy with jump_hash, its default; weights do not "
    "count\n"
    "#\n"
    "# With modula and proxy-jump the order of the servers matters: in the first list it is that "
    "of this\n"
    "# file, later ones keep it and append new servers.\n";

static const char before_slots[] = "\n"
				   "# The slots that keys are divided into: a power of two from "
				   "1024 to 65536.  It can grow later, which\n"
				   "# moves no key, but not shrink.\n";

static const char before_lease[] = "\n"
				   "# Milliseconds that a host may go on with what it knows: while "
				   "a change runs, and while none does.\n";

static const char before_op_timeout[] = "\n"
					"# Milliseconds after which a client gives up a memcached "
					"command; less than a third of lease.\n";

static const char before_client_quorum[] = "\n"
					   "# Per cent of the client processes that must have "
					   "acknowledged a phase before the next begins.\n";

static const char before_registration[] =
    "\n"
    "# Must client processes register with their agent (\"required\") or not (\"optional\")?\n";

static const char before_isolation[] = "\n"
				       "# What a host without a lease does: \"serve\" goes on with "
				       "the last list, \"bypass\" sends clients to\n"
				       "# what stands behind the cache.\n";

static const char before_unaware[] = "\n"
				     "# Do clients that know nothing of phases use these servers "
				     "too: stock ones that take a server list\n"
				     "# now and then and send each key to its one owner there?  "
				     "Then no change shows them a reservation,\n"
				     "# and waits in SWITCH until all of them have polled: "
				     "unaware-poll is the most milliseconds between\n"
				     "# two of their looks at the list ('mcadmin show --unaware'). "
				     " It costs the proof: read docs/unaware.md.\n";

static const char before_prefix[] = "\n"
				    "# Only keys that begin so are the cluster's; for memcacheds "
				    "that are shared with something else.\n";

static const char before_agents[] =
    "\n"
    "# A host of the cluster: where its agent listens for other agents, and the public key that\n"
    "# 'mcadmin hostkey' printed there.\n";

static const char before_servers[] =
    "# A memcached: where clients reach it, and the agent that works for it; one agent may work "
    "for several.\n"
    "# What is not there stands at its default:\n"
    "#\n"
    "#   weight = 100     its share of the keys against the others\n"
    "#   label = \"cache03.example.net\"\n"
    "#                    what a ring hashes for it where that is not its address: a host's name\n"
    "#                    (libmemcached: without \":11211\"), a server's name in twemproxy's "
    "configuration,\n"
    "#                    \"/10.0.0.3:11211\" as spymemcached has it\n"
    "#   wipe = 1000      items that may be dropped there when it takes up keys; needed only where "
    "it holds\n"
    "#                    data that the cluster does not know\n";

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

static void word_write(const char *option, const char *word, const char *usual, FILE *out)
{
	(void)fprintf(out, "%s%s = \"%s\"\n", strcmp(word, usual) == 0 ? "#" : "", option, word);
}

static void number_write(const char *option, uint32_t number, uint32_t usual, FILE *out)
{
	(void)fprintf(out, "%s%s = %" PRIu32 "\n", number == usual ? "#" : "", option, number);
}

static void coordinators_write(const struct list *wanted, FILE *out)
{
	if (wanted->coordinator_count == 1) {
		(void)fprintf(out, "coordinator = \"%s\"\n",
			      wanted->agents[wanted->coordinators[0]].name);
		return;
	}
	(void)fprintf(out, "coordinator = {");
	for (uint32_t i = 0; i < wanted->coordinator_count; i++)
		(void)fprintf(out, "%s \"%s\"", i > 0 ? "," : "",
			      wanted->agents[wanted->coordinators[i]].name);
	(void)fprintf(out, " }\n");
}

static void distribution_write(const struct list *wanted, FILE *out)
{
	char text[DISTRIBUTION_TEXT_BYTES];
	const bool slots = wanted->distribution == DISTRIBUTION_SLOTS;

	distribution_print(wanted->distribution, wanted->key_hash, wanted->slot_count, text);
	(void)fputs(before_distribution, out);
	word_write("distribution", slots ? "slots" : text, "slots", out);
	(void)fputs(before_slots, out);
	number_write("slots", slots ? wanted->slot_count : LIST_SLOTS_DEFAULT, LIST_SLOTS_DEFAULT,
		     out);
}

static void policy_write(const struct list *wanted, FILE *out)
{
	(void)fprintf(out, "%scluster = \"%s\"\n%s", before_cluster, wanted->cluster,
		      before_coordinator);
	coordinators_write(wanted, out);
	distribution_write(wanted, out);
	(void)fputs(before_lease, out);
	number_write("lease", wanted->lease_ms, 5000, out);
	number_write("steady-lease", wanted->steady_lease_ms, 60000, out);
	(void)fputs(before_op_timeout, out);
	number_write("op-timeout", wanted->op_timeout_ms, 1000, out);
	(void)fputs(before_client_quorum, out);
	number_write("client-quorum", wanted->client_quorum, 0, out);
	(void)fputs(before_registration, out);
	word_write("registration", wanted->registration_required ? "required" : "optional",
		   "required", out);
	(void)fputs(before_isolation, out);
	word_write("isolation", wanted->isolation == LIST_ISOLATION_BYPASS ? "bypass" : "serve",
		   "serve", out);
	(void)fputs(before_unaware, out);
	word_write("unaware-clients", yes_no(wanted->unaware_poll_ms > 0), "no", out);
	number_write("unaware-poll", wanted->unaware_poll_ms > 0 ? wanted->unaware_poll_ms : 30000,
		     wanted->unaware_poll_ms > 0 ? 0 : 30000, out);
	(void)fprintf(out, "%s%sprefix = \"%s\"\n", before_prefix,
		      wanted->prefix[0] == '\0' ? "#" : "",
		      wanted->prefix[0] == '\0' ? "app:" : wanted->prefix);
}

static void agent_write(const struct list_agent *agent, FILE *out)
{
	char key[DOCUMENT_KEY_CHARS + 1];

	document_key_print(agent->key, key);
	(void)fprintf(out, "agent \"%s\" {\n\taddress = \"%s\"\n\tkey = \"%s\"\n}\n", agent->name,
		      agent->address, key);
}

static void server_write(const struct list *wanted, const struct list_server *server, FILE *out)
{
	(void)fprintf(out, "server \"%s\" {\n\taddress = \"%s\"\n", server->name, server->address);
	if (server->weight != WEIGHT_DEFAULT)
		(void)fprintf(out, "\tweight = %" PRIu32 "\n", server->weight);
	(void)fprintf(out, "\tagent = \"%s\"\n", wanted->agents[server->agent].name);
	if (server->label[0] != '\0')
		(void)fprintf(out, "\tlabel = \"%s\"\n", server->label);
	if (server->has_wipe)
		(void)fprintf(out, "\twipe = %" PRIu64 "\n", server->wipe);
	(void)fputs("}\n", out);
}

void conf_write(const struct list *wanted, FILE *out)
{
	policy_write(wanted, out);
	(void)fputs(before_agents, out);
	for (uint32_t i = 0; i < wanted->agent_count; i++)
		agent_write(&wanted->agents[i], out);
	(void)fprintf(out, "\n%s", before_servers);
	for (uint32_t i = 0; i < wanted->server_count; i++)
		server_write(wanted, &wanted->servers[i], out);
}
