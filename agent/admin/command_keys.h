/* command_keys.h - the subcommands of mcadmin keys. */
#ifndef MCROSTER_ADMIN_COMMAND_KEYS_H
#define MCROSTER_ADMIN_COMMAND_KEYS_H

#include "admin/admin.h"

extern const struct command command_keys_new, command_keys_show, command_keys_verify;

#endif
