/* init_write.c - see init_write.h.  Keys are made here and wiped; every file is a fresh one. */
#include "admin/init_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "admin/cluster_conf.h"
#include "admin/conf_write.h"
#include "admin/file.h"
#include "admin/keyfile.h"

/* ---- keys ---- */

static int psk_write(const struct init_write *init, uint8_t **psk, struct failure *failure)
{
	const char *path = fresh_tree_file(init->tree, "psk", failure);

	*psk = sodium_malloc(KEYFILE_KEY_BYTES);
	if (*psk == NULL || path == NULL)
		return failure_set(failure, ENOMEM, "no locked memory for the pre-shared key");
	randombytes_buf(*psk, KEYFILE_KEY_BYTES);
	return keyfile_secret_store(path, false, *psk, failure);
}

static int operator_write(const struct init_write *init, struct failure *failure)
{
	const char *path = fresh_tree_file(init->tree, "operator.key", failure);
	const char *public_path = fresh_tree_file(init->tree, "operator.key.pub", failure);
	uint8_t *secret = sodium_malloc(DOCUMENT_SECRET_BYTES);
	char *passphrase;
	int error;

	if (secret == NULL || path == NULL || public_path == NULL)
		return failure_set(failure, ENOMEM, "no locked memory for the operator's key");
	error = passphrase_new(init->passphrase, path, &passphrase, failure);
	(void)crypto_sign_keypair(init->answers->operator_key, secret);
	if (error == 0)
		error = keyfile_operator_store(path, false, passphrase, secret, failure);
	sodium_free(passphrase);
	sodium_free(secret);
	return error < 0
		   ? error
		   : keyfile_public_store(public_path, false, init->answers->operator_key, failure);
}

static int host_key_write(const struct init_write *init, struct init_host *host,
			  struct failure *failure)
{
	char name[LIST_NAME_MAX + 32];
	uint8_t *secret = sodium_malloc(KEYFILE_KEY_BYTES);
	const char *path;
	int error;

	(void)snprintf(name, sizeof(name), "%s/host.key", host->name);
	path = fresh_tree_file(init->tree, name, failure);
	if (secret == NULL || path == NULL)
		return failure_set(failure, ENOMEM, "no locked memory for a host's key");
	(void)crypto_box_keypair(host->key, secret);
	error = keyfile_secret_store(path, false, secret, failure);
	sodium_free(secret);
	return error;
}

/* ---- files ---- */

static int text_write(const struct init_write *init, const char *name, mode_t mode,
		      const char *text, struct failure *failure)
{
	const char *path = fresh_tree_file(init->tree, name, failure);

	return path == NULL ? -ENOMEM : file_write(path, mode, false, text, strlen(text), failure);
}

static int agent_conf_write(const struct init_write *init, const struct init_host *host,
			    struct failure *failure)
{
	char name[LIST_NAME_MAX + 32], text[2048], operator_key[DOCUMENT_KEY_CHARS + 1];

	document_key_print(init->answers->operator_key, operator_key);
	(void)snprintf(
	    text, sizeof(text),
	    "# agent.conf - mcrosterd on %s.  agent.conf.sample beside it explains every "
	    "option.\n"
	    "\n"
	    "cluster = \"%s\"\n"
	    "name = \"%s\"\n"
	    "listen = \"%s:%" PRIu32 "\"\n"
	    "host-key = \"/etc/mcroster/host.key\"\n"
	    "psk = \"/etc/mcroster/psk\"\n"
	    "\n"
	    "# Whose signatures make a list valid, and how many of them it needs.\n"
	    "trusted-keys = { \"%s\" }\n"
	    "threshold = 1\n",
	    host->name, init->answers->cluster, host->name, host->address, host->agent_port,
	    operator_key);
	(void)snprintf(name, sizeof(name), "%s/agent.conf", host->name);
	return text_write(init, name, 0644, text, failure);
}

static int host_write(const struct init_write *init, struct init_host *host, const uint8_t *psk,
		      struct failure *failure)
{
	char name[LIST_NAME_MAX + 32];
	const char *path;
	int error = fresh_tree_directory(init->tree, host->name, failure);

	if (error == 0 && !host->has_key)
		error = host_key_write(init, host, failure);
	if (error == 0)
		error = agent_conf_write(init, host, failure);
	if (error < 0)
		return error;
	(void)snprintf(name, sizeof(name), "%s/psk", host->name);
	path = fresh_tree_file(init->tree, name, failure);
	return path == NULL ? -ENOMEM : keyfile_secret_store(path, false, psk, failure);
}

/* The cluster as the answers say it, judged as any cluster.conf. */
static int answers_parse(const struct init_answers *answers, struct cluster_conf **conf,
			 struct failure *failure)
{
	char *text = NULL, key[DOCUMENT_KEY_CHARS + 1];
	size_t text_bytes;
	FILE *out = open_memstream(&text, &text_bytes);
	int error;

	if (out == NULL)
		return failure_set(failure, ENOMEM, "no memory for cluster.conf");
	(void)fprintf(out, "cluster = \"%s\"\ncoordinator = \"%s\"\n", answers->cluster,
		      answers->hosts[0].name);
	for (uint32_t i = 0; i < answers->host_count; i++) {
		const struct init_host *host = &answers->hosts[i];

		document_key_print(host->key, key);
		(void)fprintf(out, "agent \"%s\" { address = \"%s:%" PRIu32 "\" key = \"%s\" }\n",
			      host->name, host->address, host->agent_port, key);
	}
	for (uint32_t i = 0; i < answers->host_count; i++) {
		const struct init_host *host = &answers->hosts[i];

		if (host->server_port != 0)
			(void)fprintf(
			    out, "server \"%s\" { address = \"%s:%" PRIu32 "\" agent = \"%s\" }\n",
			    host->name, host->address, host->server_port, host->name);
	}
	error = fclose(out) == 0 ? cluster_conf_parse("cluster.conf", text, conf, failure)
				 : failure_set(failure, ENOMEM, "no memory for cluster.conf");
	free(text);
	return error;
}

static int cluster_conf_write(const struct init_write *init, struct failure *failure)
{
	struct cluster_conf *conf = NULL;
	char *text = NULL;
	size_t text_bytes;
	FILE *out;
	int error = answers_parse(init->answers, &conf, failure);

	if (error < 0)
		return error;
	out = open_memstream(&text, &text_bytes);
	if (out != NULL)
		conf_write(&conf->wanted, out);
	if (out == NULL || fclose(out) != 0)
		error = failure_set(failure, ENOMEM, "no memory for cluster.conf");
	else
		error = text_write(init, "cluster.conf", 0644, text, failure);
	free(text);
	cluster_conf_free(conf);
	return error;
}

int init_write(const struct init_write *init, struct failure *failure)
{
	struct init_answers *answers = init->answers;
	uint8_t *psk = NULL;
	int error = 0;

	if (!answers->has_operator)
		error = operator_write(init, failure);
	if (error == 0)
		error = psk_write(init, &psk, failure);
	for (uint32_t i = 0; error == 0 && i < answers->host_count; i++)
		error = host_write(init, &answers->hosts[i], psk, failure);
	if (error == 0)
		error = cluster_conf_write(init, failure);
	sodium_free(psk);
	return error;
}
