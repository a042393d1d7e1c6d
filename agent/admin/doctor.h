/* doctor.h - the examinations that 'mcadmin doctor' puts together.  Each looks at one thing and
 * writes what it finds into the checkup; none changes anything. */
#ifndef MCROSTER_ADMIN_DOCTOR_H
#define MCROSTER_ADMIN_DOCTOR_H

#include <limits.h>

#include "admin/checkup.h"
#include "admin/status.h"
#include "list/list.h"

/* What this host's agent.conf says, as far as doctor asks. */
struct doctor_conf {
	bool there;
	char cluster[LIST_NAME_MAX + 1], name[LIST_NAME_MAX + 1], listen[LIST_ADDRESS_MAX + 1];
	char host_key[PATH_MAX], psk[PATH_MAX], previous_psk[PATH_MAX];
	char state[PATH_MAX], control[PATH_MAX], segment[LIST_NAME_MAX + 16];
};

/* Reads it; where it cannot be read that is a finding, and conf->there false. */
void doctor_conf_read(const char *path, struct doctor_conf *conf, struct checkup *checkup);

/* Keys and their modes, room on the disk; against the list (NULL: there is none) who this is. */
void doctor_files(const struct doctor_conf *conf, const struct list *list, struct checkup *checkup);

/* What the agent says of itself and the cluster. */
void doctor_status(const struct status *status, struct checkup *checkup);

/* The segment, by its name or its cluster's, as a client sees it. */
void doctor_segment(const char *name, struct checkup *checkup);

/* The other agents of the list, each asked as an observer. */
void doctor_peers(const struct doctor_conf *conf, const struct list *list, struct checkup *checkup);

/* The memcacheds of the list. */
void doctor_servers(const struct list *list, struct checkup *checkup);

#endif
