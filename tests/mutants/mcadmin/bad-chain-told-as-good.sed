# A chain of keys documents that breaks is told as good.
# file: agent/admin/command_keys_verify.c
# test: 14-mcadmin-day-offline
s/return error == 0 && options->json/options->count = 1; return options->json/; s/(static int chain_verify\()const (struct verify_options)/\1\2/
