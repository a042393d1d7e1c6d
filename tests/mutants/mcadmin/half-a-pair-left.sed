# A secret that was not written leaves its public half.
# file: agent/admin/command_keygen.c
# test: 16-full-disk
s/\(void\)unlink\(options->public_new\);/(void)options;/
