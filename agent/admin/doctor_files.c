/* doctor_files.c - see doctor.h: agent.conf, what it names, and the disk. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include <sodium.h>

#include "admin/conf_edit.h"
#include "admin/doctor.h"
#include "admin/file.h"
#include "admin/human.h"
#include "list/conftext.h"
#include "list/secretfile.h"

#define SPACE_FAULT_BYTES 4000000u
#define SPACE_WARN_BYTES  100000000u

static void conf_take(struct doctor_conf *conf, const struct conf_edit *text)
{
	const struct {
		const char *option;
		char *to;
		size_t size;
	} wanted[] = {
	    {"cluster", conf->cluster, sizeof(conf->cluster)},
	    {"name", conf->name, sizeof(conf->name)},
	    {"listen", conf->listen, sizeof(conf->listen)},
	    {"host-key", conf->host_key, sizeof(conf->host_key)},
	    {"psk", conf->psk, sizeof(conf->psk)},
	    {"previous-psk", conf->previous_psk, sizeof(conf->previous_psk)},
	    {"state-directory", conf->state, sizeof(conf->state)},
	    {"control-socket", conf->control, sizeof(conf->control)},
	    {"segment", conf->segment, sizeof(conf->segment)},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		(void)conf_edit_value(text, wanted[i].option, wanted[i].to, wanted[i].size);
	if (conf->state[0] == '\0')
		(void)snprintf(conf->state, sizeof(conf->state), "/var/lib/mcroster/%s",
			       conf->cluster);
}

void doctor_conf_read(const char *path, struct doctor_conf *conf, struct checkup *checkup)
{
	struct conf_edit *text = NULL;
	struct failure failure;
	char *read = NULL;
	size_t length;
	int error = file_read(path, CONFTEXT_BYTES_MAX, &read, &length, &failure);

	memset(conf, 0, sizeof(*conf));
	if (error == 0)
		error = conf_edit_new(path, read, &text, &failure);
	if (error == 0) {
		conf_take(conf, text);
		conf->there = true;
		checkup_add(checkup, CHECK_CONF, CHECKUP_OK, path, "agent %s of the cluster %s",
			    conf->name, conf->cluster);
	} else {
		checkup_add(checkup, CHECK_CONF, CHECKUP_WARN, "",
			    "%s; keys and other agents are "
			    "not looked at",
			    failure.text);
	}
	conf_edit_free(text);
	free(read);
}

static void secret_check(const char *what, const char *path, struct checkup *checkup)
{
	struct failure failure;
	uint8_t *key;

	if (path[0] == '\0')
		return;
	if (secretfile_key_load(path, &key, &failure) < 0) {
		checkup_add(checkup, CHECK_KEYS, CHECKUP_FAULT, what, "%s", failure.text);
		return;
	}
	sodium_free(key);
	checkup_add(checkup, CHECK_KEYS, CHECKUP_OK, what, "%s is readable by its owner alone",
		    path);
}

static void identity_check(const struct doctor_conf *conf, const struct list *list,
			   struct checkup *checkup)
{
	const int at = list_agent_find(list, conf->name);
	uint8_t *secret, public_key[LIST_HOST_KEY_BYTES];
	struct failure failure;

	if (at < 0) {
		checkup_add(checkup, CHECK_IDENTITY, CHECKUP_OK, conf->name,
			    "not in the list: it observes, and works for no server");
		return;
	}
	if (strcmp(list->agents[at].address, conf->listen) != 0)
		checkup_add(checkup, CHECK_IDENTITY, CHECKUP_WARN, conf->name,
			    "listens on %s, and the list says %s", conf->listen,
			    list->agents[at].address);
	if (secretfile_key_load(conf->host_key, &secret, &failure) < 0)
		return; /* the check of keys says so */
	(void)crypto_scalarmult_base(public_key, secret);
	sodium_free(secret);
	if (memcmp(public_key, list->agents[at].key, sizeof(public_key)) != 0)
		checkup_add(checkup, CHECK_IDENTITY, CHECKUP_FAULT, conf->name,
			    "%s is not the key that the list has of it", conf->host_key);
	else
		checkup_add(checkup, CHECK_IDENTITY, CHECKUP_OK, conf->name,
			    "its key is the list's");
}

static void space_check(const struct doctor_conf *conf, struct checkup *checkup)
{
	struct statvfs fs;
	char text[HUMAN_NUMBER_BYTES];
	uint64_t bytes;

	if (statvfs(conf->state, &fs) < 0) {
		checkup_add(checkup, CHECK_SPACE, CHECKUP_FAULT, conf->state, "%s",
			    strerror(errno));
		return;
	}
	bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	checkup_add(checkup, CHECK_SPACE,
		    bytes < SPACE_FAULT_BYTES || fs.f_favail == 0 ? CHECKUP_FAULT
		    : bytes < SPACE_WARN_BYTES			  ? CHECKUP_WARN
								  : CHECKUP_OK,
		    conf->state, "%s free", human_bytes(bytes, text));
}

void doctor_files(const struct doctor_conf *conf, const struct list *list, struct checkup *checkup)
{
	if (!conf->there)
		return;
	secret_check("host-key", conf->host_key, checkup);
	secret_check("psk", conf->psk, checkup);
	secret_check("previous-psk", conf->previous_psk, checkup);
	if (list != NULL)
		identity_check(conf, list, checkup);
	space_check(conf, checkup);
}
