# A write that failed leaves its temporary file.
# file: agent/admin/file.c
# test: 16-full-disk
s/\(void\)unlinkat\(dir_fd, temporary, 0\);/(void)dir_fd;/
