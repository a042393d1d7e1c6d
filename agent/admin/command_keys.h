/* command_keys.h - the subcommands of mcadmin keys, as admin.h says of commands. */
#ifndef MCROSTER_ADMIN_COMMAND_KEYS_H
#define MCROSTER_ADMIN_COMMAND_KEYS_H

int command_keys_new(int argc, char **argv);
int command_keys_show(int argc, char **argv);
int command_keys_verify(int argc, char **argv);

#endif
