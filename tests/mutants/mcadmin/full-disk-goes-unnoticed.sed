# What a full disk does not take is told as written.
# file: agent/admin/file.c
# test: 16-full-disk
s/if \(put < 0\)\n\t\t\treturn -errno/if (put < 0)\n\t\t\treturn 0/
