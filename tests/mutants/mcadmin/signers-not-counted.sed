# A keys document wants nobody.
# file: agent/admin/command_keys_new.c
# test: 14-mcadmin-day-offline
s/next_keys_signers\(previous, next\)\);\n\terror/0u);\n\terror/
