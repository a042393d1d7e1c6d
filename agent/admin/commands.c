/* commands.c - the table of mcadmin's subcommands: what main runs, --help lists and completion
 * knows. */
#include "admin/admin.h"

#include <stddef.h>

/* clang-format off */
const struct command *const admin_commands[] = {
    &command_init,
    &command_keygen,
    &command_passphrase,
    &command_hostkey,
    &command_completion,
    &command_plan,
    &command_apply,
    &command_add,
    &command_remove,
    &command_weight,
    &command_replace,
    &command_status,
    &command_top,
    &command_clients,
    &command_doctor,
    &command_route,
    &command_show,
    &command_render,
    &command_diff,
    &command_pace,
    &command_abort,
    &command_giveup,
    &command_excuse,
    &command_failover,
    &command_push,
    &command_sign,
    &command_verify,
    &command_keys,
    NULL,
};
/* clang-format on */
