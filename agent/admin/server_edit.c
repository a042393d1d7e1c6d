/* server_edit.c - see server_edit.h. */
#include "admin/server_edit.h"

#include <errno.h>
#include <string.h>

#include "admin/conf_rules.h"
#include "admin/keyfile.h"

/* ---- values ---- */

static int value_check(const char *section, const char *option, const char *value,
		       struct failure *failure)
{
	const struct conf_rule *rule = conf_rule_find(section, option);
	char expected[160];

	if (value == NULL || conf_value_valid(rule, value))
		return 0;
	conf_expected_print(rule, expected, sizeof(expected));
	return failure_set(failure, EINVAL, "%s: found '%.80s', expected %s", option, value,
			   expected);
}

static int name_check(const char *what, const char *name, struct failure *failure)
{
	if (conf_name_valid(name))
		return 0;
	return failure_set(failure, EINVAL,
			   "%s: found the name '%.80s', expected 1 to %u letters, digits, '.', "
			   "'_' and '-', a letter or digit first",
			   what, name, LIST_NAME_MAX);
}

static size_t address_length(const char *address)
{
	const char *colon = strrchr(address, ':');

	return colon != NULL ? (size_t)(colon - address) : strlen(address);
}

/* The agent that listens at the server's address. */
static const struct list_agent *host_at(const struct list *wanted, const char *address)
{
	const size_t length = address_length(address);
	const struct list_agent *found = NULL;

	for (uint32_t i = 0; i < wanted->agent_count; i++) {
		const struct list_agent *agent = &wanted->agents[i];

		if (address_length(agent->address) != length ||
		    memcmp(agent->address, address, length) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = agent;
	}
	return found;
}

/* ---- edits ---- */

static int host_add(const struct server_edit *edit, struct conf_edit *text, struct failure *failure)
{
	uint8_t key[KEYFILE_KEY_BYTES];
	char base64[DOCUMENT_KEY_CHARS + 1];
	int error = value_check("agent", "address", edit->host_address, failure);

	if (error == 0)
		error = name_check("--host", edit->host, failure);
	if (error == 0)
		error = keyfile_public_load(edit->host_key, key, failure);
	if (error == 0)
		error = conf_edit_add(text, "agent", edit->host, failure);
	if (error < 0)
		return error;
	document_key_print(key, base64);
	error = conf_edit_set(text, "agent", edit->host, "address", edit->host_address, failure);
	if (error == 0)
		error = conf_edit_set(text, "agent", edit->host, "key", base64, failure);
	return error;
}

/* Sets who works for the server, and adds him where he is new.  *host becomes his name. */
static int host_set(const struct server_edit *edit, const struct list *wanted, const char *server,
		    struct conf_edit *text, const char **host, struct failure *failure)
{
	const struct list_agent *agent = host_at(wanted, edit->more);
	int error = 0;

	if (edit->host_address != NULL)
		error = host_add(edit, text, failure);
	else if (edit->host != NULL && list_agent_find(wanted, edit->host) < 0)
		error = failure_set(failure, EINVAL,
				    "--host: %s has no agent '%s'; one that is new needs "
				    "--host-address and --host-key",
				    edit->path, edit->host);
	else if (edit->host == NULL && agent == NULL)
		error = failure_set(failure, EINVAL,
				    "%s has not one agent at the address of %s, so --host NAME has "
				    "to say which one works for it",
				    edit->path, edit->more);
	if (error < 0)
		return error;
	*host = edit->host != NULL ? edit->host : agent->name;
	return conf_edit_set(text, "server", server, "agent", *host, failure);
}

static int optional_set(struct conf_edit *text, const char *server, const char *option,
			const char *value, struct failure *failure)
{
	int error = value_check("server", option, value, failure);

	if (error < 0 || value == NULL)
		return error;
	return conf_edit_set(text, "server", server, option, value, failure);
}

int server_edit_add(const struct server_edit *edit, const struct list *wanted,
		    struct conf_edit *text, struct failure *failure)
{
	const char *host;
	int error = name_check("SERVER", edit->server, failure);

	if (error == 0)
		error = value_check("server", "address", edit->more, failure);
	if (error == 0)
		error = conf_edit_add(text, "server", edit->server, failure);
	if (error == 0)
		error = conf_edit_set(text, "server", edit->server, "address", edit->more, failure);
	if (error == 0)
		error = optional_set(text, edit->server, "weight", edit->weight, failure);
	if (error == 0)
		error = host_set(edit, wanted, edit->server, text, &host, failure);
	if (error == 0)
		error = optional_set(text, edit->server, "label", edit->label, failure);
	if (error == 0)
		error = optional_set(text, edit->server, "wipe", edit->wipe, failure);
	return error;
}

static int server_of(const struct server_edit *edit, const struct list *wanted,
		     struct failure *failure)
{
	const int at = list_server_find(wanted, edit->server);

	if (at >= 0)
		return at;
	return failure_set(failure, EINVAL, "%s: there is no server \"%s\" { ... }", edit->path,
			   edit->server);
}

/* Takes the agent of a server that goes out as well; `successor` works for the one in its place, or
 * is NULL. */
static int host_remove(const struct server_edit *edit, const struct list *wanted, uint32_t server,
		       const char *successor, struct conf_edit *text, struct failure *failure)
{
	const uint32_t agent = wanted->servers[server].agent;
	const char *name = wanted->agents[agent].name;

	if (successor != NULL && strcmp(successor, name) == 0)
		return failure_set(failure, EINVAL,
				   "--with-host: agent %s works for the new one as well", name);
	for (uint32_t i = 0; i < wanted->server_count; i++)
		if (i != server && wanted->servers[i].agent == agent)
			return failure_set(failure, EINVAL,
					   "--with-host: agent %s works for %s as well", name,
					   wanted->servers[i].name);
	for (uint32_t i = 0; i < wanted->coordinator_count; i++)
		if (wanted->coordinators[i] == agent)
			return failure_set(failure, EINVAL,
					   "--with-host: agent %s is the coordinator; name another "
					   "in %s first",
					   name, edit->path);
	return conf_edit_remove(text, "agent", name, failure);
}

int server_edit_remove(const struct server_edit *edit, const struct list *wanted,
		       struct conf_edit *text, struct failure *failure)
{
	const int at = server_of(edit, wanted, failure);
	int error = at < 0 ? at : conf_edit_remove(text, "server", edit->server, failure);

	if (error == 0 && edit->with_host)
		error = host_remove(edit, wanted, (uint32_t)at, NULL, text, failure);
	return error;
}

int server_edit_weight(const struct server_edit *edit, const struct list *wanted,
		       struct conf_edit *text, struct failure *failure)
{
	int error = server_of(edit, wanted, failure);

	if (error >= 0)
		error = value_check("server", "weight", edit->more, failure);
	return error < 0
		   ? error
		   : conf_edit_set(text, "server", edit->server, "weight", edit->more, failure);
}

int server_edit_replace(const struct server_edit *edit, const struct list *wanted,
			struct conf_edit *text, struct failure *failure)
{
	const char *name = edit->new_name != NULL ? edit->new_name : edit->server;
	const char *host;
	const int at = server_of(edit, wanted, failure);
	int error = at < 0 ? at : name_check("--name", name, failure);

	if (error == 0)
		error = value_check("server", "address", edit->more, failure);
	if (error == 0 && strcmp(wanted->servers[at].address, edit->more) == 0)
		error = failure_set(failure, EINVAL,
				    "%s is at %s already; another memcached has another address",
				    edit->server, edit->more);
	if (error == 0)
		error = conf_edit_rename(text, "server", edit->server, name, failure);
	if (error == 0)
		error = conf_edit_set(text, "server", name, "address", edit->more, failure);
	/* What was said of the old one's items says nothing of the new one's. */
	if (error == 0)
		error = conf_edit_unset(text, "server", name, "wipe", failure);
	if (error == 0)
		error = host_set(edit, wanted, name, text, &host, failure);
	if (error == 0 && edit->with_host)
		error = host_remove(edit, wanted, (uint32_t)at, host, text, failure);
	return error;
}
