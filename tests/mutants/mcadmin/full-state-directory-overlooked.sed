# A disk without room is well.
# file: agent/admin/doctor_files.c
# test: 17-doctor
s/bytes < SPACE_FAULT_BYTES \|\| fs.f_favail == 0/bytes > UINT64_MAX - 1/
