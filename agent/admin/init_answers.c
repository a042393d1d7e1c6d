/* init_answers.c - see init_answers.h.  Names and addresses are judged by the rules of cluster.conf
 * as soon as they are there; what concerns several of them when that is parsed. */
#include "admin/init_answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin/conf_rules.h"
#include "admin/human.h"
#include "admin/keyfile.h"

#define ANSWER_BYTES 512u

void init_answers_clear(struct init_answers *answers)
{
	free(answers->hosts);
	answers->hosts = NULL;
	answers->host_count = 0;
}

static struct init_host *host_grow(struct init_answers *answers, struct failure *failure)
{
	struct init_host *grown =
	    reallocarray(answers->hosts, answers->host_count + 1, sizeof(*grown));

	if (grown == NULL) {
		(void)failure_set(failure, ENOMEM, "no memory for a host");
		return NULL;
	}
	answers->hosts = grown;
	memset(&grown[answers->host_count], 0, sizeof(*grown));
	return &grown[answers->host_count];
}

static struct init_host *host_find(const struct init_answers *answers, const char *name)
{
	for (uint32_t i = 0; i < answers->host_count; i++)
		if (strcmp(answers->hosts[i].name, name) == 0)
			return &answers->hosts[i];
	return NULL;
}

/* ---- one answer ---- */

static int name_valid(void *context, const char *answer, struct failure *failure)
{
	const struct init_answers *answers = context;

	if (!conf_name_valid(answer))
		return failure_set(failure, EINVAL,
				   "'%.80s' is no name: 1 to %u letters, digits, '.', '_' and '-', "
				   "a letter or digit first",
				   answer, LIST_NAME_MAX);
	if (answers != NULL && host_find(answers, answer) != NULL)
		return failure_set(failure, EINVAL, "there is a host %s already", answer);
	return 0;
}

/* Nothing ends the hosts, where there is one. */
static int host_name_valid(void *context, const char *answer, struct failure *failure)
{
	const struct init_answers *answers = context;

	if (answer[0] == '\0' && answers->host_count > 0)
		return 0;
	return name_valid(context, answer, failure);
}

/* As it stands before a port: an IPv6 address in brackets. */
static int address_take(const char *text, char address[LIST_ADDRESS_MAX + 1],
			struct failure *failure)
{
	const struct conf_rule *rule = conf_rule_find("agent", "address");
	const bool bare = strchr(text, ':') != NULL && text[0] != '[';
	char whole[LIST_ADDRESS_MAX + 16];

	(void)snprintf(whole, sizeof(whole), "%s%.100s%s:1", bare ? "[" : "", text,
		       bare ? "]" : "");
	if (!conf_value_valid(rule, whole))
		return failure_set(failure, EINVAL,
				   "'%.100s' is no address that other hosts can reach: a numeric "
				   "one without a port is wanted, as 10.0.0.1 or fd00::1",
				   text);
	(void)snprintf(address, LIST_ADDRESS_MAX + 1, "%.*s", (int)(strlen(whole) - 2), whole);
	return 0;
}

static int address_valid(void *context, const char *answer, struct failure *failure)
{
	char address[LIST_ADDRESS_MAX + 1];

	(void)context;
	return address_take(answer, address, failure);
}

static int port_valid(void *context, const char *answer, struct failure *failure)
{
	const uint64_t *min = context;
	uint64_t port;

	if (human_number(answer, *min, 65535, &port))
		return 0;
	return failure_set(failure, EINVAL, "'%.40s' is no port", answer);
}

/* Nothing: it is to be made. */
static int key_valid(void *context, const char *answer, struct failure *failure)
{
	uint8_t key[KEYFILE_KEY_BYTES];

	(void)context;
	return answer[0] == '\0' ? 0 : keyfile_public_load(answer, key, failure);
}

/* ---- the command line ---- */

static int pair_split(const char *words, char name[LIST_NAME_MAX + 1], const char **value,
		      const char *option, struct failure *failure)
{
	const char *equals = strchr(words, '=');
	const size_t length = equals != NULL ? (size_t)(equals - words) : 0;

	if (equals == NULL || length == 0 || length > LIST_NAME_MAX)
		return failure_set(failure, EINVAL, "%s '%.80s': a host's NAME=... is wanted",
				   option, words);
	memcpy(name, words, length);
	name[length] = '\0';
	*value = equals + 1;
	return 0;
}

int init_answers_host(struct init_answers *answers, const char *words, uint32_t agent_port,
		      uint32_t server_port, struct failure *failure)
{
	struct init_host *host = host_grow(answers, failure);
	const char *address;
	int error;

	if (host == NULL)
		return -ENOMEM;
	error = pair_split(words, host->name, &address, "--host", failure);
	if (error == 0)
		error = name_valid(answers, host->name, failure);
	if (error == 0)
		error = address_take(address, host->address, failure);
	host->agent_port = agent_port;
	host->server_port = server_port;
	if (error == 0)
		answers->host_count++;
	return error;
}

int init_answers_key(struct init_answers *answers, const char *words, struct failure *failure)
{
	char name[LIST_NAME_MAX + 1];
	const char *key;
	struct init_host *host;
	int error = pair_split(words, name, &key, "--host-key", failure);

	if (error < 0)
		return error;
	host = host_find(answers, name);
	if (host == NULL)
		return failure_set(failure, EINVAL, "--host-key %s: there is no --host %s", name,
				   name);
	host->has_key = true;
	return keyfile_public_load(key, host->key, failure);
}

/* ---- the terminal ---- */

static int port_ask(const struct prompt *prompt, const char *question, uint32_t usual, uint64_t min,
		    uint32_t *port, struct failure *failure)
{
	char answer[ANSWER_BYTES], text[16];
	uint64_t number = 0;
	int error;

	(void)snprintf(text, sizeof(text), "%u", usual);
	error =
	    prompt_line(prompt, question, text, port_valid, &min, answer, sizeof(answer), failure);
	if (error == 0 && human_number(answer, min, 65535, &number))
		*port = (uint32_t)number;
	return error;
}

/* A public key that is there, or nothing. */
static int key_ask(const struct prompt *prompt, const char *question, bool *has,
		   uint8_t key[KEYFILE_KEY_BYTES], struct failure *failure)
{
	char answer[ANSWER_BYTES];
	int error =
	    prompt_line(prompt, question, NULL, key_valid, NULL, answer, sizeof(answer), failure);

	*has = error == 0 && answer[0] != '\0';
	return *has ? keyfile_public_load(answer, key, failure) : error;
}

static int host_rest_ask(struct init_host *host, const struct prompt *prompt,
			 struct failure *failure)
{
	char answer[ANSWER_BYTES];
	int error = prompt_line(prompt, "  its address, as the other hosts reach it", NULL,
				address_valid, NULL, answer, sizeof(answer), failure);

	if (error == 0)
		error = address_take(answer, host->address, failure);
	if (error == 0)
		error = port_ask(prompt, "  port for its agent", INIT_AGENT_PORT, 1,
				 &host->agent_port, failure);
	if (error == 0)
		error = port_ask(prompt, "  port of its memcached (0: none there)",
				 INIT_SERVER_PORT, 0, &host->server_port, failure);
	if (error == 0)
		error = key_ask(prompt,
				"  its public key, if 'mcadmin hostkey' made one there "
				"(nothing: one is made here)",
				&host->has_key, host->key, failure);
	return error;
}

static int hosts_ask(struct init_answers *answers, const struct prompt *prompt,
		     struct failure *failure)
{
	int error = 0;

	(void)fprintf(prompt->out,
		      "\nHosts: each runs an agent, and usually a memcached.  The first one\n"
		      "coordinates changes.\n");
	while (error == 0) {
		struct init_host *host = host_grow(answers, failure);
		char answer[ANSWER_BYTES];

		if (host == NULL)
			return -ENOMEM;
		error = prompt_line(
		    prompt,
		    answers->host_count == 0 ? "\nName of a host"
					     : "\nName of another host (nothing: no more)",
		    NULL, host_name_valid, answers, answer, sizeof(answer), failure);
		if (error < 0 || answer[0] == '\0')
			break;
		(void)snprintf(host->name, sizeof(host->name), "%.63s", answer);
		error = host_rest_ask(host, prompt, failure);
		if (error == 0)
			answers->host_count++;
	}
	return error;
}

int init_answers_ask(struct init_answers *answers, const struct prompt *prompt,
		     struct failure *failure)
{
	char answer[ANSWER_BYTES];
	int error = 0;

	(void)fprintf(
	    prompt->out,
	    "This writes the cluster.conf and the keys of a new cluster into a directory\n"
	    "of their own.  Nothing is written before the last answer.\n\n");
	if (answers->cluster[0] == '\0') {
		error = prompt_line(prompt, "Name of the cluster", "web", name_valid, NULL, answer,
				    sizeof(answer), failure);
		(void)snprintf(answers->cluster, sizeof(answers->cluster), "%.63s", answer);
	}
	if (error == 0)
		error = hosts_ask(answers, prompt, failure);
	if (error == 0 && !answers->has_operator)
		error = key_ask(prompt,
				"\nAn operator's public key, if there is one (nothing: one is made "
				"here)",
				&answers->has_operator, answers->operator_key, failure);
	return error;
}
