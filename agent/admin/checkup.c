/* checkup.c - see checkup.h.  Names of checks are stable: programs go by them. */
#include "admin/checkup.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "admin/human.h"

static const struct {
	const char *name, *means, *advice;
} checks[CHECK_COUNT] = {
    [CHECK_AGENT] = {"agent",
		     "The agent of this host answers on its control socket; without it the host "
		     "serves the last list only until its lease is over.",
		     "'systemctl status mcrosterd' and 'journalctl -u mcrosterd' say why it does "
		     "not; 'mcrosterd --check' says what is wrong with agent.conf."},
    [CHECK_LEASE] = {"lease",
		     "A host without a lease does not know whether its list is still the "
		     "cluster's; a change waits for it or goes on without it.  In the first "
		     "seconds after an agent's start that is as it should be.",
		     "'mcadmin status' names the coordinator: does it run, and can it be reached "
		     "(check peers)? If its host is gone, 'mcadmin failover --help'."},
    [CHECK_TROUBLE] = {"trouble",
		       "The agent says that something is in its way, such as a disk that takes "
		       "nothing.",
		       "Remove the cause that it names ('journalctl -u mcrosterd' has it from its "
		       "beginning); it goes on by itself."},
    [CHECK_EVIDENCE] = {"evidence",
			"Somebody's key has signed two documents where there may be one.",
			"'mcadmin show --hash' shows them and who signed; if it was no mistake, "
			"replace that key ('mcadmin keys --help')."},
    [CHECK_SEGMENT] =
	{"segment",
	 "Clients read the list from this shared memory; they refuse one that "
	 "others can write or that is not of their layout.",
	 "'systemctl restart mcrosterd': it makes the segment anew where it must, and "
	 "clients follow."},
    [CHECK_HEARTBEAT] =
	{"heartbeat",
	 "The agent counts in the segment several times a second; where it does "
	 "not, clients take it for dead and nothing is adopted on this host.",
	 "'systemctl status mcrosterd': is it stopped, or starved of processor time?"},
    [CHECK_CONF] = {"conf",
		    "Keys, and what other agents say, are looked at by the agent's own "
		    "configuration.",
		    "Run 'mcadmin doctor' as root or as the agent's user, with --conf where the "
		    "file is elsewhere."},
    [CHECK_KEYS] = {"keys",
		    "A secret that others can read is none; one that the agent cannot read "
		    "keeps it from starting.",
		    "'chown mcroster' and 'chmod 600' the file; if others could read it, replace "
		    "the key ('mcadmin hostkey', 'mcadmin keygen --psk')."},
    [CHECK_IDENTITY] =
	{"identity",
	 "The list names each agent's public key and address; where they are not "
	 "those of agent.conf, other agents do not recognise this one.",
	 "Put the host's key and address into cluster.conf and 'mcadmin apply' it, or "
	 "correct agent.conf."},
    [CHECK_SPACE] = {"space",
		     "The agent writes its state before it tells anybody; on a full disk it "
		     "stops taking part in changes.",
		     "Make room in the file system of its state-directory ('df' and 'du' say "
		     "who has it)."},
    [CHECK_PEERS] = {"peers",
		     "Agents speak to each other at the addresses of the list; one that cannot be "
		     "reached holds a change up.",
		     "Does mcrosterd run there ('systemctl status mcrosterd'), does a firewall let "
		     "its port through, has it the same pre-shared key?"},
    [CHECK_VERSIONS] =
	{"versions",
	 "Agents of two neighbouring versions work together, so that a fleet can be "
	 "upgraded host by host; it should not stay half upgraded.",
	 "Upgrade the hosts that are behind ('mcrosterd --version' there says what is "
	 "installed, 'systemctl restart mcrosterd' runs it)."},
    [CHECK_CLIENTS] = {"clients",
		       "Client processes that refuse the newest generation get no plans; silent "
		       "ones are waited for in each phase.",
		       "'mcadmin clients' on that host names the processes."},
    [CHECK_OWED] = {"owed",
		    "Clients could not delete these keys where they should and handed them to the "
		    "agent, which tries again until it can.",
		    "'mcadmin status' names the server they are owed to: see why it cannot be "
		    "reached."},
    [CHECK_SERVERS] = {"servers",
		       "Clients, and the agents that move keys, reach the memcacheds at the "
		       "list's addresses; this host tried.",
		       "Does it run ('systemctl status memcached'), and listen on that address? "
		       "One that wants a login or TLS does "
		       "not answer doctor; its own agent's log tells then."},
    [CHECK_MEMCACHED] =
	{"memcached",
	 "Keys are moved by meta commands that memcached has since 1.6; mcroster is "
	 "tested with 1.6.18 and later.",
	 "Upgrade that memcached before the next change ('memcached -V' there says what is "
	 "installed)."},
    [CHECK_CAS] = {"cas",
		   "Without CAS (memcached -C) a moved key could overwrite a newer value, so no "
		   "change that moves keys from or to this server can run.",
		   "Start it without -C: take that out of its configuration, then 'systemctl "
		   "restart memcached'; it is empty then."},
    [CHECK_DUMP] = {"dump",
		    "The mover learns keys from 'lru_crawler metadump'; with -X or without the "
		    "crawler it cannot move any from this server.",
		    "Start it without -X and without no_lru_crawler ('systemctl restart "
		    "memcached'; it is empty then)."},
    [CHECK_ITEM_SIZE] = {"item-size",
			 "An item that is larger than its new owner's limit cannot be moved there: "
			 "it becomes a miss.",
			 "Give all servers the same -I ('systemctl restart memcached'; it is empty "
			 "then)."},
    [CHECK_MEMORY] = {"memory", "A server that is full takes moved keys only by evicting others.",
		      "'mcadmin plan' says what would come where; give it more memory (-m) or a "
		      "smaller weight."},
    [CHECK_CONNECTIONS] = {"connections",
			   "At its limit memcached accepts nobody, movers and clients alike.",
			   "Raise -c, or find who holds so many connections ('ss -tn' there)."},
    [CHECK_CLOCK] = {"clock",
		     "Times of expiry beyond 30 days are points in time: a server whose clock is "
		     "off expires moved items early or late. Nothing else depends on it.",
		     "Run a time service on that host ('timedatectl' says whether one runs)."},
};

void checkup_clear(struct checkup *checkup)
{
	free(checkup->findings);
	memset(checkup, 0, sizeof(*checkup));
}

void checkup_add(struct checkup *checkup, enum check check, enum checkup_level level,
		 const char *subject, const char *format, ...)
{
	struct finding *grown = reallocarray(checkup->findings, checkup->count + 1, sizeof(*grown));
	struct finding *finding;
	va_list arguments;

	if (grown == NULL) {
		checkup->lost = true;
		return;
	}
	checkup->findings = grown;
	finding = &grown[checkup->count++];
	memset(finding, 0, sizeof(*finding));
	finding->check = check;
	finding->level = level;
	(void)snprintf(finding->subject, sizeof(finding->subject), "%s", subject);
	va_start(arguments, format);
	(void)vsnprintf(finding->found, sizeof(finding->found), format, arguments);
	va_end(arguments);
	(void)human_clean(finding->found);
	(void)human_clean(finding->subject);
}

enum checkup_level checkup_worst(const struct checkup *checkup)
{
	enum checkup_level worst = checkup->lost ? CHECKUP_FAULT : CHECKUP_OK;

	for (uint32_t i = 0; i < checkup->count; i++)
		if (checkup->findings[i].level > worst)
			worst = checkup->findings[i].level;
	return worst;
}

static void finding_print(const struct finding *finding, FILE *out)
{
	static const char *const words[] = {"ok", "WARN", "FAULT"};

	(void)fprintf(out, "%-6s %-12s %s%s%s\n", words[finding->level],
		      checks[finding->check].name, finding->subject,
		      finding->subject[0] != '\0' ? ": " : "", finding->found);
}

/* Those that found nothing wrong, in one line. */
static void good_print(const struct checkup *checkup, int check, FILE *out)
{
	const struct finding *first = NULL;
	uint32_t count = 0;

	for (uint32_t i = 0; i < checkup->count; i++) {
		if ((int)checkup->findings[i].check != check ||
		    checkup->findings[i].level != CHECKUP_OK)
			continue;
		first = first == NULL ? &checkup->findings[i] : first;
		count++;
	}
	if (first == NULL)
		return;
	if (count == 1)
		finding_print(first, out);
	else
		(void)fprintf(out, "%-6s %-12s %s, and %" PRIu32 " more\n", "ok",
			      checks[check].name, first->subject, count - 1);
}

void checkup_report(const struct checkup *checkup, bool all, FILE *out)
{
	for (int check = 0; check < CHECK_COUNT; check++) {
		bool bad = false;

		if (!all)
			good_print(checkup, check, out);
		for (uint32_t i = 0; i < checkup->count; i++) {
			const struct finding *finding = &checkup->findings[i];

			if ((int)finding->check != check || (finding->level == CHECKUP_OK && !all))
				continue;
			finding_print(finding, out);
			bad = bad || finding->level != CHECKUP_OK;
		}
		if (bad)
			(void)fprintf(out, "%19s %s\n%19s %s\n", "", checks[check].means, "",
				      checks[check].advice);
	}
}

void checkup_json(const struct checkup *checkup, struct json *json)
{
	static const char *const words[] = {"ok", "warn", "fault"};

	json_string(json, "result", words[checkup_worst(checkup)]);
	json_array_open(json, "checks");
	for (int check = 0; check < CHECK_COUNT; check++)
		for (uint32_t i = 0; i < checkup->count; i++) {
			const struct finding *finding = &checkup->findings[i];
			const bool bad = finding->level != CHECKUP_OK;

			if ((int)finding->check != check)
				continue;
			json_object_open(json, NULL);
			json_string(json, "check", checks[check].name);
			json_string(json, "result", words[finding->level]);
			json_string(json, "subject",
				    finding->subject[0] != '\0' ? finding->subject : NULL);
			json_string(json, "found", finding->found);
			json_string(json, "means", bad ? checks[check].means : NULL);
			json_string(json, "advice", bad ? checks[check].advice : NULL);
			json_object_close(json);
		}
	json_array_close(json);
}
